"""Metrics of all processes, for Prometheus. Without a token in the settings nothing is counted."""
