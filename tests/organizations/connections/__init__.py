"""Tests of connections to Glific."""
