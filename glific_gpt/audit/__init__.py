"""The audit trail: who changed what, and when. Written by the nouns, so that every door leaves the same trace."""
