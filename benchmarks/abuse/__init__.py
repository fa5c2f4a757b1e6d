"""Attacks of one organization, or of strangers, on the others: `python -m benchmarks.abuse`."""
