"""Tests of backups, their restore, and copies of the database."""
