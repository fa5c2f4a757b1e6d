"""Calls: storage, queries, housekeeping, deferral and delivery."""
