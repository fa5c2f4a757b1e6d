"""What pages show: rows and numbers turned into words, colours and pictures."""
