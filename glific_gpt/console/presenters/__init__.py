"""Presenters: convert data to the texts, colours and rows that the pages show."""
