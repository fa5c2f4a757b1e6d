"""What an administrator sees of the server: logs without secrets."""
