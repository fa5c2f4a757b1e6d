"""Audit trail of changes: actor, action and time. Domain modules write it, so all entry points record the same."""
