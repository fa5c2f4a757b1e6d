"""Connections to Glific."""
