"""Sign-in with Flask-Security: pages, forms, sessions, limits on attempts, records."""
