"""Durable work: its locks, its taking over, its engine."""
