"""Files for the operation of the server."""
