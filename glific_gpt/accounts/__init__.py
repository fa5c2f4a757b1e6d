"""People: accounts, roles in organizations, and sign-in."""
