"""Benchmarks: the time that the server adds to a call, compared with other gateways and with a direct call."""
