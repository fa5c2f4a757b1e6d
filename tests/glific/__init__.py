"""Tests of how Glific speaks."""
