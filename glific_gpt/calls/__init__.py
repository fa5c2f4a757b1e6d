"""Calls: the pipeline, one row for each call, limits, stored answers, and deferred calls."""
