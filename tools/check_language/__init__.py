"""Check that docstrings, comments, texts, documents and commit subjects are plain English."""
