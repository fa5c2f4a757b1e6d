"""Why OpenAI gave no answer, in a few words for the log, the call's record and the doctor."""

import re
import socket
import ssl
from collections.abc import Callable
from typing import Any

import httpx2

from glific_gpt.openai.connections import AddressRefused
from glific_gpt.openai.proxy import ProxyRefused

MAX_LENGTH = 200
"""Length of the column that stores a cause."""

DOCUMENTED_STATUSES = frozenset({400, 401, 402, 403, 404, 409, 413, 422, 429, 500, 502, 503, 504})

_CODE = re.compile(r"[\w.\[\]-]{1,60}", re.ASCII)


def describe_connection(error: BaseException | None) -> str:
    """Return the cause of a missing or incomplete reply."""
    if isinstance(error, httpx2.DecodingError):
        return f"{error}"
    if isinstance(error, httpx2.ConnectTimeout):
        return "time-out while connecting"
    if isinstance(error, httpx2.TimeoutException):
        return "time-out: no complete reply before the deadline"
    return _describe_os_error(error)[:MAX_LENGTH]


_DESCRIPTIONS: tuple[tuple[type[Exception], Callable[[Any], str]], ...] = (
    (ProxyRefused, str),
    (AddressRefused, lambda _: "the host has a private address"),
    (socket.gaierror, lambda _: "DNS: the name of the host cannot be resolved"),
    (UnicodeError, lambda _: "DNS: the name of the host cannot be resolved"),
    (ssl.SSLCertVerificationError, lambda error: f"TLS: {error.verify_message}"),
    (ssl.SSLError, lambda error: f"TLS: {error.reason or 'the handshake failed'}"),
    (ConnectionRefusedError, lambda _: "connection refused"),
    (TimeoutError, lambda _: "the connection is dead: nothing was acknowledged"),
    (ConnectionError, lambda _: "connection reset"),
    (OSError, lambda error: f"network error: {error.strerror or type(error).__name__}"),
)
"""The first class counts, because some are classes of others."""


def _describe_os_error(error: BaseException | None) -> str:
    while error is not None:
        for kind, describe in _DESCRIPTIONS:
            if isinstance(error, kind):
                return describe(error)
        error = error.__cause__
    return "the connection was closed without a reply"


def label_of_status(status: int) -> str:
    """Return the label of an error reply for the metrics. OpenAI documents few of the statuses."""
    return f"http_{status}" if status in DOCUMENTED_STATUSES else "http_other"


def describe_refusal(status: int, code: str, kind: str, parameter: str, request_id: str) -> str:
    """Return the parts of OpenAI's error reply that its support asks for."""
    parts = {"code": code, "type": kind, "param": parameter, "request": request_id}
    found = [f"{name} {_safe(value)}" for name, value in parts.items() if value]
    return ", ".join([f"HTTP {status}", *found])[:MAX_LENGTH]


def _safe(value: str) -> str:
    """Return a code of OpenAI. Other text is not repeated, because it can contain parts of a key."""
    return value if _CODE.fullmatch(value) and not value.startswith("sk-") else "?"
