"""Backups: back the database up, restore it, and copy it to another one."""
