"""The programs that people start, as they start them."""
