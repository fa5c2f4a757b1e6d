"""Tests of the benchmarks, where they have a logic of their own."""
