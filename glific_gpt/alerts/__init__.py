"""Alerts that people are told about: e-mails to owners, and messages to the administrators' webhook."""
