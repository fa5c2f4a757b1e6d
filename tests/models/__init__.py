"""Tests of model kinds, allowlists and prices."""
