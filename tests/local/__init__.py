"""Tests of what `make run` needs on one machine."""
