"""Tests of glific_gpt/operations/doctor."""
