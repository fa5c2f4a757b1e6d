"""The WSGI environment (PEP 3333) of an ASGI request."""

import io
import sys
from functools import lru_cache
from typing import Any
from urllib.parse import unquote_to_bytes


def make_environ(scope: dict[str, Any], body: io.IOBase, proxies: int = 0) -> dict[str, Any]:
    """Return the WSGI environment of a request with this body, which came through that many proxies of the operator."""
    host, port = scope["server"]
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        # PEP 3333 requires the bytes of the path as latin-1. They are in raw_path only: in scope["path"], uvicorn has
        # replaced bytes that are not UTF-8.
        "PATH_INFO": unquote_to_bytes(scope["raw_path"]).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": host,
        "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": scope["client"][0] if scope["client"] else "",  # None once the client has disconnected
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.input": body,
        # Without this key, Werkzeug reads an empty body from a chunked request.
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in scope["headers"]:
        if key := _environ_key(name):
            text = value.decode("latin-1")
            # A header that was sent several times is one list (RFC 9110, 5.3).
            environ[key] = f"{environ[key]},{text}" if key in environ else text
    if proxies:
        environ["wsgi.url_scheme"] = _scheme(environ, proxies)
    return environ


def _scheme(environ: dict[str, Any], proxies: int) -> str:
    """Return the scheme that the client used, as the outermost proxy recorded it in X-Forwarded-Proto.

    Some proxies add a value, and others replace the header, so that it has fewer values than there are proxies.
    """
    schemes = [part.strip().lower() for part in environ.get("HTTP_X_FORWARDED_PROTO", "").split(",")]
    scheme = schemes[-min(proxies, len(schemes))]
    return scheme if scheme in {"http", "https"} else str(environ["wsgi.url_scheme"])


@lru_cache(256)  # bounded, because clients choose the names
def _environ_key(name: bytes) -> str | None:
    """Return WSGI's name of a header; None for a name with an underscore.

    WSGI cannot tell X_Forwarded_For from X-Forwarded-For, which only a proxy may set. nginx drops such headers too.
    """
    if b"_" in name:
        return None
    key = name.decode("latin-1").upper().replace("-", "_")
    return key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"
