"""E-mails: sending, recovery and limits."""
