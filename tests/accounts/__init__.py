"""People: signing in, and what they are in which organization."""
