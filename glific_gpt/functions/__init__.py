"""The functions that a webhook can call; they know neither Flask nor the database."""
