"""Tests of glific_gpt/network."""
