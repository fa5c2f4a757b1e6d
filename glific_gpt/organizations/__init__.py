"""Organizations (one NGO each), their tokens and signature phrase, and the models that all of them may use."""
