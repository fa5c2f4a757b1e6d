"""Which models exist, which are text, who may use which, and what they cost."""
