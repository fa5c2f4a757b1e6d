"""E-mails: stored encrypted, and sent by a durable workflow, so that no request waits for a mail server."""
