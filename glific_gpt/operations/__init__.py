"""Operations: the worker, housekeeping, key rotation, backups, and the data of an organization."""
