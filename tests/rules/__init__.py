"""Rules for the whole codebase, which also apply to new code."""
