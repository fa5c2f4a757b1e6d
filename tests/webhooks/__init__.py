"""The webhook, over a socket, on both databases."""
