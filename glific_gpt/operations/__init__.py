"""Operations that several entry points start: the worker, housekeeping, rotation, backups, checks, and exports."""
