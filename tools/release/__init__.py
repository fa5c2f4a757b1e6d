"""`make release`: the files of a release, with the same bytes each time they are built from a commit."""
