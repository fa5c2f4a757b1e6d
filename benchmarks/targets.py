"""Targets: URLs with the request that the load generator sends to them, encoded once in advance."""

import itertools
import json
import secrets
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from glific_gpt.glific.signature import sign

MODEL = "gpt-4o-mini"
CHAT_BODY = {
    "model": MODEL,
    "messages": [{"role": "system", "content": "Answer briefly."}, {"role": "user", "content": "What is ORS?"}],
}
WEBHOOK_BODY = {"question_text": "What is ORS?", "prompt": "Answer briefly.", "gpt_model": MODEL}


@dataclass(frozen=True)
class Target:
    """A URL and the request to send to it."""

    url: str
    headers: dict[str, str]
    body: dict[str, object]

    def requests(self) -> Iterator[bytes]:
        """Yield the same encoded request without end."""
        return itertools.repeat(_build_request(self.url, self.headers, json.dumps(self.body).encode()))


@dataclass(frozen=True)
class SignedTarget(Target):
    """A target that is called with Glific's signature. Each call has its own body, so that none is a repeated call."""

    phrase: str

    def requests(self) -> Iterator[bytes]:
        run = secrets.token_hex(8)
        for number in itertools.count():
            body = json.dumps(self.body | {"call": f"{run}-{number}"}).encode()
            signature = sign(self.phrase, body, int(time.time()))
            yield _build_request(self.url, self.headers | {"X-Glific-Signature": signature}, body)


def round_robin(targets: Sequence[Target]) -> Iterator[bytes]:
    """Yield a request to each target in turn, without end."""
    return map(next, itertools.cycle([target.requests() for target in targets]))


def _build_request(url: str, headers: dict[str, str], body: bytes) -> bytes:
    parts = urlsplit(url)
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    lines = [f"POST {path} HTTP/1.1", f"Host: {parts.netloc}", f"Content-Length: {len(body)}"]
    lines += ["Content-Type: application/json", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body
