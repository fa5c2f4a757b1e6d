"""Tools for work on this project; the server does not use them."""
