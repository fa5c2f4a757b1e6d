"""Functions that a webhook can call. They import neither Flask nor the database."""
