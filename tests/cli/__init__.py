"""The commands, as people and scripts use them."""
