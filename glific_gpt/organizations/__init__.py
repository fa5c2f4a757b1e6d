"""Organizations (one NGO each), their tokens and webhook signatures, and the server-wide model list."""
