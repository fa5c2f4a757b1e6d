"""The audit trail: every change leaves one entry, whoever makes it and through which door."""
