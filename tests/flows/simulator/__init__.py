"""Tests of glific_gpt/simulator."""
