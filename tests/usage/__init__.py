"""Tests of the usage statistics."""
