"""nginx.conf: a real nginx with it, in front of a server."""

import os
import re
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest
from sqlalchemy import select

from glific_gpt.audit.tables import AuditEntry
from glific_gpt.database import transaction
from tests.conftest import StartServer
from tests.console.users import ConsoleUser, create_user
from tests.deploy.files import DEPLOY, check, require_program
from tests.support.programs import Program, free_port, start
from tests.support.self_signed import LOOPBACK, certificate
from tests.support.server import TIMEOUT_SECONDS, RunningServer, TestOrganization

pytestmark = pytest.mark.journey

GLIFIC_KEEPS_CONNECTIONS_SECONDS = 60
SERVER_KEEPS_CONNECTIONS_SECONDS = 75
CERTIFICATE = r"/etc/letsencrypt/live/gpt\.example\.org/\w+\.pem"


class Proxy:
    """nginx with our file, on free ports of this machine and with a self-signed certificate."""

    def __init__(self, folder: Path, upstream: str) -> None:
        self.http_port, self.port = free_port(), free_port()
        self.certificate = certificate(folder)
        text = (DEPLOY / "nginx.conf").read_text()
        text = re.sub(r"\n *listen \[::\].*", "", text)
        text = text.replace("listen 80;", f"listen {LOOPBACK}:{self.http_port};")
        text = text.replace("listen 443 ssl;", f"listen {LOOPBACK}:{self.port} ssl;")
        text = text.replace("server 127.0.0.1:8000;", f"server {upstream};")
        text = re.sub(CERTIFICATE, str(self.certificate), text)
        (folder / "glific_gpt.conf").write_text(text)
        paths = "".join(
            f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        user = "user root;\n" if os.geteuid() == 0 else ""  # the folder of the test belongs to us alone
        # Debian's nginx.conf switches compression on for everything.
        (folder / "nginx.conf").write_text(
            f"{user}daemon off;\npid {folder}/pid;\nerror_log stderr;\nevents {{}}\n"
            f"http {{\naccess_log off;\ngzip on;\n{paths}include {folder}/glific_gpt.conf;\n}}\n"
        )
        self.command = (require_program("nginx"), "-p", str(folder), "-c", str(folder / "nginx.conf"))
        self.url = f"https://{LOOPBACK}:{self.port}"

    def client(self) -> httpx2.Client:
        return httpx2.Client(verify=ssl.create_default_context(cafile=self.certificate), timeout=TIMEOUT_SECONDS)

    def wait(self, program: Program) -> None:
        until = time.monotonic() + TIMEOUT_SECONDS
        while time.monotonic() < until and program.process.poll() is None:
            with suppress(OSError), socket.create_connection((LOOPBACK, self.port)):
                return
            time.sleep(0.02)
        raise AssertionError(program.errors)


@pytest.fixture
def server(start_server: StartServer) -> RunningServer:
    return start_server(trusted_proxy_count=1, deadline_seconds=60)  # a busy machine must not end a call


@pytest.fixture
def proxy(server: RunningServer, tmp_path: Path) -> Iterator[Proxy]:
    folder = tmp_path / "nginx"
    folder.mkdir()
    found = Proxy(folder, urlsplit(server.url).netloc)
    with start(found.command, tmp_path / "log") as program:
        found.wait(program)
        yield found


@pytest.fixture
def client(proxy: Proxy) -> Iterator[httpx2.Client]:
    with proxy.client() as opened:
        yield opened


def ask(client: httpx2.Client, proxy: Proxy, organization: TestOrganization, question: str) -> httpx2.Response:
    path = urlsplit(organization.url).path
    headers = {"Authorization": f"Bearer {organization.token}", "Accept-Encoding": "gzip"}
    return client.post(proxy.url + path, json={"question_text": question}, headers=headers)


def test_nginx_accepts_it_without_a_warning(tmp_path: Path) -> None:
    proxy = Proxy(tmp_path, "127.0.0.1:8000")
    printed = check(*proxy.command, "-t")
    assert "test is successful" in printed
    assert "[warn]" not in printed


def test_a_webhook_call_is_answered_without_compression(
    client: httpx2.Client, proxy: Proxy, alice: TestOrganization
) -> None:
    response = ask(client, proxy, alice, "What is ORS? " * 200)
    assert (response.status_code, response.json()["status"]) == (200, "ok")
    assert "Content-Encoding" not in response.headers


def test_a_body_of_a_mebibyte_reaches_the_server(client: httpx2.Client, proxy: Proxy, alice: TestOrganization) -> None:
    assert ask(client, proxy, alice, "x" * (1024 * 1024 - 100)).status_code == 200
    too_large = ask(client, proxy, alice, "x" * (1024 * 1024 + 1))
    assert (too_large.status_code, too_large.json()["error_code"]) == (413, "body_too_large")


@pytest.mark.parametrize("encoding", ["gzip", "br"])
def test_a_static_file_is_compressed(client: httpx2.Client, proxy: Proxy, encoding: str) -> None:
    for name in ("console.css", "console.js", "vendor/htmx.min.js"):
        url = f"{proxy.url}/console/static/{name}"
        with client.stream("GET", url, headers={"Accept-Encoding": encoding}) as response:
            assert (response.status_code, response.headers.get("Content-Encoding")) == (200, encoding), name


def test_a_page_is_not_compressed(client: httpx2.Client, proxy: Proxy) -> None:
    """A compressed page with a secret tells its length to those who can add text to it (BREACH)."""
    response = client.get(f"{proxy.url}/console/account/sign-in", headers={"Accept-Encoding": "gzip"})
    assert response.status_code == 200
    assert "Content-Encoding" not in response.headers


def test_the_scheme_and_the_host_of_the_client_arrive(client: httpx2.Client, proxy: Proxy) -> None:
    assert client.get(f"{proxy.url}/console").headers["Location"] == f"{proxy.url}/console/"


def test_the_address_of_the_client_arrives_and_cannot_be_forged(
    client: httpx2.Client, proxy: Proxy, server: RunningServer
) -> None:
    known = create_user(server, "asha@example.org")
    known.client.close()
    server_behind_proxy = RunningServer(server.app, proxy.url)
    client.headers["X-Forwarded-For"] = "203.0.113.1"
    ConsoleUser(server_behind_proxy, known.email, client).sign_in()
    with server.app.app_context(), transaction() as session:
        (detail,) = session.scalars(select(AuditEntry.detail).where(AuditEntry.action == "signed_in"))
    assert detail["address"] == LOOPBACK


def test_plain_http_leads_to_tls(client: httpx2.Client, proxy: Proxy) -> None:
    response = client.get(f"http://{LOOPBACK}:{proxy.http_port}/console/?a=b")
    assert (response.status_code, response.headers["Location"]) == (301, f"https://{LOOPBACK}/console/?a=b")


def test_a_body_is_read_completely_before_the_server_sees_it(tmp_path: Path) -> None:
    with closing(socket.create_server((LOOPBACK, 0))) as upstream:
        upstream.settimeout(TIMEOUT_SECONDS)
        proxy = Proxy(tmp_path, f"{LOOPBACK}:{upstream.getsockname()[1]}")
        with start(proxy.command, tmp_path / "log") as program:
            proxy.wait(program)
            trusted = ssl.create_default_context(cafile=proxy.certificate)
            with trusted.wrap_socket(
                socket.create_connection((LOOPBACK, proxy.port)), server_hostname=LOOPBACK
            ) as wire:
                wire.sendall(b"POST /webhooks/a/b HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{")
                upstream.setblocking(False)
                with pytest.raises(BlockingIOError):
                    upstream.accept()
                upstream.settimeout(TIMEOUT_SECONDS)
                wire.sendall(b"}")
                connection, _ = upstream.accept()
                with connection:
                    assert connection.recv(65536).endswith(b"\r\n\r\n{}")


def test_idle_connections_outlive_those_of_glific_and_end_before_those_of_the_server() -> None:
    to_server, from_clients = re.findall(r"(?m)^ *keepalive_timeout (\d+)s;", (DEPLOY / "nginx.conf").read_text())
    assert int(from_clients) > GLIFIC_KEEPS_CONNECTIONS_SECONDS
    assert int(to_server) < SERVER_KEEPS_CONNECTIONS_SECONDS
