"""Organizations (one NGO each), their webhook tokens and signature phrase."""
