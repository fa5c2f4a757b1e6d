"""Tests of the programs that users start, in separate processes."""
