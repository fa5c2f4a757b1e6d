"""Systems under comparison: each answers the same question from the same upstream, in one process."""
