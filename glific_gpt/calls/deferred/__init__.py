"""Answers that come later: handed over, asked for, told to the flow that waits, and brought back when they are lost."""
