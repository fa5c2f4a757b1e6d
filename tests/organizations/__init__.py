"""Tests of glific_gpt/organizations."""
