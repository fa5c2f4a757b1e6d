"""People: accounts, roles in organizations, passwords and one-time links. `sign_in/` has the pages."""
