"""Glific's flow files: read, checked by its rules, made, and converted. Knows neither Flask nor the database."""
