"""Run the server: supervisor, ASGI bridge, HTTP protocol, warm-up."""
