"""Benchmarks: what the server adds to a call, side by side with asking the same upstream directly."""
