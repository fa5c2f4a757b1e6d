"""Flows as files to keep."""

from io import BytesIO

from flask import Response, send_file


def flow_file(text: str, name: str) -> Response:
    """An answer that a browser saves under that name, in whatever script it is."""
    content = BytesIO(text.encode())
    return send_file(content, "application/json", as_attachment=True, download_name=name, conditional=False, etag=False)
