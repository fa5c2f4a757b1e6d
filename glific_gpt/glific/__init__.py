"""How Glific speaks: its signature, its variables, its text."""
