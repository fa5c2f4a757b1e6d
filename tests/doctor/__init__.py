"""Tests of glific_gpt/doctor."""
