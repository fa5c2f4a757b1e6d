"""Work that administrators and timers start: worker, housekeeping, key rotation."""
