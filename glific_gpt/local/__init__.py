"""`make run`: a complete local set-up with secrets, a demo organization, and a sandbox instead of OpenAI."""
