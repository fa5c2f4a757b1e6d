"""Kinds, allowlists and prices of models."""
