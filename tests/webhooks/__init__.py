"""The webhook, called over a socket on both databases."""
