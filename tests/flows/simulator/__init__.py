"""Tests of glific_gpt/flows/simulator."""
