"""Glific flow files: parse, check, build, convert and simulate them.

Imports nothing from the rest of `glific_gpt` but `errors`, so that it could be a distribution of its own.
"""
