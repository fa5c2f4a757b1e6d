"""Organizations' keys at providers of language models: stored encrypted, verified, activated and deactivated."""
