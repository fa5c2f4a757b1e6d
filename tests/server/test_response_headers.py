"""Security headers of every response, whatever part of the server makes it."""

import socket
from urllib.parse import urlsplit

import pytest

from tests.conftest import StartServer
from tests.server.test_request_bodies import read_response
from tests.support.server import TIMEOUT_SECONDS, RunningServer

HOST = "Host: x\r\n"
REQUESTS = {
    "health": f"GET /livez HTTP/1.1\r\n{HOST}\r\n",
    "a page": f"GET /console/account/sign-in HTTP/1.1\r\n{HOST}\r\n",
    "a redirect": f"GET / HTTP/1.1\r\n{HOST}\r\n",
    "a missing page": f"GET /console/nothing HTTP/1.1\r\n{HOST}\r\n",
    "a static file": f"GET /console/static/console.css HTTP/1.1\r\n{HOST}\r\n",
    "an unknown address": f"GET /nothing HTTP/1.1\r\n{HOST}\r\n",
    "the API": f"GET /api/v1/organizations HTTP/1.1\r\n{HOST}\r\n",
    "the description of the API": f"GET /api/openapi.json HTTP/1.1\r\n{HOST}\r\n",
    "the page of the API": f"GET /api/docs HTTP/1.1\r\n{HOST}\r\n",
    "a webhook": f"POST /webhooks/alice/parse_via_chat_gpt HTTP/1.1\r\n{HOST}Content-Length: 0\r\n\r\n",
    "a wrong method": f"GET /webhooks/alice/parse_via_chat_gpt HTTP/1.1\r\n{HOST}\r\n",
    "a body that is too large": f"POST /console/account/sign-in HTTP/1.1\r\n{HOST}Content-Length: 9999999\r\n\r\n",
    "no HTTP": "nonsense\r\n\r\n",
    "two hosts": f"GET /livez HTTP/1.1\r\n{HOST}{HOST}\r\n",
    "a long head": f"GET /livez HTTP/1.1\r\n{HOST}X-Long: {'x' * 100_000}",
}


def response_headers(server: RunningServer, request: str) -> list[tuple[str, str]]:
    """Return all headers, also those that are sent twice."""
    address = urlsplit(server.url)
    with socket.create_connection((address.hostname or "", address.port or 0), TIMEOUT_SECONDS) as wire:
        wire.sendall(request.encode())
        with wire.makefile("rb") as reply:
            reply.readline()
            lines = iter(reply.readline, b"\r\n")
            return [
                (name.lower(), value.strip()) for name, _, value in (line.decode().partition(":") for line in lines)
            ]


@pytest.mark.parametrize("is_https", [False, True])
def test_every_response_has_the_security_headers_once(start_server: StartServer, is_https: bool) -> None:
    server = start_server(public_url="https://gpt.example.org" if is_https else "http://gpt.example.org")
    for name, request in REQUESTS.items():
        headers = response_headers(server, request)
        assert [value for key, value in headers if key == "x-content-type-options"] == ["nosniff"], name
        expected = ["max-age=31536000"] if is_https else []
        assert [value for key, value in headers if key == "strict-transport-security"] == expected, name


def test_a_refused_connection_has_them_too(start_server: StartServer) -> None:
    server = start_server(public_url="https://gpt.example.org", max_connections_per_address=1)
    address = urlsplit(server.url)
    target = (address.hostname or "", address.port or 0)
    with socket.create_connection(target) as first, socket.create_connection(target, TIMEOUT_SECONDS) as refused:
        status, headers, _ = read_response(refused)
        assert first
    assert status == 503
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["strict-transport-security"] == "max-age=31536000"
