"""Answers Glific webhooks with each organization's own OpenAI key."""
