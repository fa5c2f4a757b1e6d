"""Glific: signatures, variables, message formatting, and the client that resumes flows."""
