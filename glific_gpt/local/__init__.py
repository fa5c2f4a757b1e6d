"""What 'make run' needs on one machine: secrets, a demo organization, a sandbox for OpenAI."""
