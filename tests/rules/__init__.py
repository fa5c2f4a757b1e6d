"""Rules that hold for the whole of the code, whatever is added to it."""
