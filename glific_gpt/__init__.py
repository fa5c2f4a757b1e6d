"""Answers Glific webhooks with each organization's own OpenAI key."""

__version__ = "0.9.0"
"""The released version, as in CHANGELOG.md. Only this line names it."""
