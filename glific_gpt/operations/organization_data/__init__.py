"""Everything that is stored of one organization: its export, and its deletion."""
