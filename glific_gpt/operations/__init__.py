"""Operations: the worker, housekeeping, and key rotation."""
