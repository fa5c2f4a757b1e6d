"""Answers Glific webhooks with each organization's own OpenAI key."""

__version__ = "1.0.0-dev"
"""The version, as in CHANGELOG.md."""
