"""Sides: what answers the same question from the same upstream, each in one process."""
