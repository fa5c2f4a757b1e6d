"""Caddyfile: a real Caddy with it, in front of a server. Caddy signs a certificate for localhost itself."""

import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest

from tests.conftest import StartServer
from tests.deploy.files import DEPLOY, require_program
from tests.support.programs import Program, free_port, start
from tests.support.server import TIMEOUT_SECONDS, RunningServer, TestOrganization

pytestmark = pytest.mark.journey

GLOBAL_OPTIONS = "{\n\tskip_install_trust\n\tadmin off\n\tauto_https disable_redirects\n"
ROOT_CERTIFICATE = "data/caddy/pki/authorities/local/root.crt"


@pytest.fixture
def server(start_server: StartServer) -> RunningServer:
    return start_server(trusted_proxy_count=1, deadline_seconds=60)  # a busy machine must not end a call


@pytest.fixture
def client(server: RunningServer, tmp_path: Path) -> Iterator[httpx2.Client]:
    """A client of the proxy, which trusts its certificate."""
    text = (DEPLOY / "Caddyfile").read_text()
    text = text.replace("{\n", GLOBAL_OPTIONS, 1).replace("server:8000", urlsplit(server.url).netloc)
    (tmp_path / "Caddyfile").write_text(text)
    port = free_port()
    environ = {
        "SITE_ADDRESS": f"https://localhost:{port}",
        "HOME": str(tmp_path),
        "XDG_DATA_HOME": str(tmp_path / "data"),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
    }
    command = (require_program("caddy"), "run", "--adapter", "caddyfile", "--config", str(tmp_path / "Caddyfile"))
    with start(command, tmp_path / "log", environ) as program:
        wait_for_listener(program, port)
        context = ssl.create_default_context(cafile=tmp_path / ROOT_CERTIFICATE)
        base_url = f"https://localhost:{port}"
        with httpx2.Client(verify=context, timeout=TIMEOUT_SECONDS, base_url=base_url) as opened:
            yield opened


def wait_for_listener(program: Program, port: int) -> None:
    until = time.monotonic() + TIMEOUT_SECONDS
    while time.monotonic() < until and program.process.poll() is None:
        with suppress(OSError), socket.create_connection(("localhost", port)):
            return
        time.sleep(0.02)
    raise AssertionError(program.errors)


def test_a_call_is_answered_over_tls_without_compression(client: httpx2.Client, alice: TestOrganization) -> None:
    headers = {"Authorization": f"Bearer {alice.token}", "Accept-Encoding": "gzip"}
    body = {"question_text": "What is ORS? " * 200}
    response = client.post(urlsplit(alice.url).path, json=body, headers=headers)
    assert (response.status_code, response.json()["status"]) == (200, "ok")
    assert "Content-Encoding" not in response.headers
    for encoding in ("gzip", "br"):
        with client.stream("GET", "/console/static/console.js", headers={"Accept-Encoding": encoding}) as static:
            assert static.headers.get("Content-Encoding") == encoding
    page = client.get("/console/account/sign-in", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in page.headers
    assert client.get("/console").headers["Location"] == f"{client.base_url}/console/"
