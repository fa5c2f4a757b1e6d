"""Tests of the local set-up of `make run`."""
