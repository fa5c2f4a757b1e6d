"""Tests of the numbers over calls that people are shown."""
