"""People: who they are, what they may do in which organization, and how they sign in."""
