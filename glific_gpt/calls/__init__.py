"""One row for each call, and the one path that every call takes."""
