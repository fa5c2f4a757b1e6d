"""Shared test support: stand-ins for outside services, servers and databases."""
