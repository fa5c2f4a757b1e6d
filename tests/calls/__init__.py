"""What becomes of calls besides their answers."""
