"""Tests of the server: HTTP protocol, ASGI bridge, supervisor and warm-up."""
