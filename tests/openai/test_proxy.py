"""OpenAI is reached through the proxy of HTTPS_PROXY, unless NO_PROXY names its host."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx2
import pytest

from glific_gpt.errors import SettingsError
from glific_gpt.openai import causes
from glific_gpt.openai.connections import ConnectionPool
from glific_gpt.openai.proxy import find_proxy
from tests.openai.test_connections import OK, post
from tests.support.self_signed import LOOPBACK, certificate

API = "https://api.openai.com/v1"


@pytest.fixture(autouse=True)
def no_proxy_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("https_proxy", "HTTPS_PROXY", "no_proxy", "NO_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@contextmanager
def run_proxy(
    answer: bytes = b"HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n",
) -> Iterator[tuple[int, list[bytes]]]:
    """Yield the port of a proxy and the requests for tunnels. It connects to the port of the request on loopback."""
    received: list[bytes] = []
    with socket.create_server((LOOPBACK, 0)) as listener:

        def pump(source: socket.socket, target: socket.socket) -> None:
            with suppress(OSError):
                while some := source.recv(65536):
                    target.sendall(some)
                target.shutdown(socket.SHUT_WR)

        def serve(near: socket.socket) -> None:
            with near, suppress(OSError):
                request = near.recv(65536)
                received.append(request)
                # In two parts, as a network may deliver them.
                near.sendall(answer[:7])
                near.sendall(answer[7:])
                if answer.startswith(b"HTTP/1.1 200 C"):
                    port = int(request.split()[1].rpartition(b":")[2])
                    with socket.create_connection((LOOPBACK, port)) as far:
                        threading.Thread(target=pump, args=(far, near), daemon=True).start()
                        pump(near, far)

        def accept() -> None:
            with suppress(OSError):
                while True:
                    near, _ = listener.accept()
                    threading.Thread(target=serve, args=(near,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield listener.getsockname()[1], received
        listener.shutdown(socket.SHUT_RDWR)


@contextmanager
def run_upstream(folder: Path) -> Iterator[tuple[int, list[bytes]]]:
    """Yield the port of a TLS server that answers each request, and what it has received."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate(folder))
    received: list[bytes] = []
    with socket.create_server((LOOPBACK, 0)) as listener:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    plain, _ = listener.accept()
                    with suppress(OSError), context.wrap_socket(plain, server_side=True) as end:
                        while some := end.recv(65536):
                            received.append(some)
                            end.sendall(OK)

        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1], received
        listener.shutdown(socket.SHUT_RDWR)


def trusting_pool(url: str, folder: Path) -> ConnectionPool:
    pool = ConnectionPool(url)
    pool._tls = ssl.create_default_context(cafile=folder / "self_signed.pem")
    return pool


def test_requests_go_through_the_tunnel_of_the_proxy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with run_upstream(tmp_path) as (port, received), run_proxy() as (proxy_port, tunnels):
        monkeypatch.setenv("HTTPS_PROXY", f"http://user:p%40ss@{LOOPBACK}:{proxy_port}")
        pool = trusting_pool(f"https://{LOOPBACK}:{port}/v1", tmp_path)
        assert [bytes(post(pool).body) for _ in range(2)] == [b"{}"] * 2
    (tunnel,) = tunnels  # the connection is reused
    assert tunnel.startswith(f"CONNECT {LOOPBACK}:{port} HTTP/1.1\r\n".encode())
    assert b"\r\nProxy-Authorization: Basic dXNlcjpwQHNz\r\n" in tunnel
    assert b"p@ss" not in b"".join(received)
    assert received[0].startswith(b"POST /v1/x HTTP/1.1\r\n")


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "the proxy answered 407"),
        (b"HTTP/1.0 502 Bad Gateway\r\nX: y\r\n\r\n<html>", "the proxy answered 502"),
        (b"", "the proxy closed the connection"),
        (b"SSH-2.0-x\r\n\r\n", "the proxy's reply is not HTTP"),
        (b"HTTP/1.1 200 OK\r\n" + b"x" * 20_000, "the proxy's reply is too large"),
    ],
)
def test_a_refusal_of_the_proxy_is_the_cause(monkeypatch: pytest.MonkeyPatch, answer: bytes, cause: str) -> None:
    with run_proxy(answer) as (port, _):
        monkeypatch.setenv("https_proxy", f"{LOOPBACK}:{port}")
        with pytest.raises(httpx2.ConnectError) as caught:
            post(ConnectionPool(API))
    assert causes.describe_connection(caught.value) == cause


def test_a_host_with_a_private_address_gets_no_tunnel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with run_upstream(tmp_path) as (port, received), run_proxy() as (proxy_port, tunnels):
        monkeypatch.setenv("HTTPS_PROXY", f"http://{LOOPBACK}:{proxy_port}")
        with pytest.raises(httpx2.ConnectError):
            post(ConnectionPool(f"https://localhost:{port}/v1", lambda _: False))
        assert (tunnels, received) == ([], [])
        with pytest.raises(httpx2.ConnectError):  # it reaches the tunnel, and the certificate is for another name
            post(ConnectionPool(f"https://only-the-proxy-knows.invalid:{port}/v1", lambda _: False))
        assert [tunnel.split()[1] for tunnel in tunnels] == [f"only-the-proxy-knows.invalid:{port}".encode()]


@pytest.mark.parametrize("excluded", ["api.openai.com", ".openai.com", "openai.com,x.example", "*"])
def test_hosts_of_no_proxy_are_reached_directly(monkeypatch: pytest.MonkeyPatch, excluded: str) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    assert find_proxy(API)
    monkeypatch.setenv("NO_PROXY", excluded)
    assert find_proxy(API) is None


def test_only_https_urls_have_a_proxy_and_its_repr_hides_the_password(monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_proxy(API) is None
    monkeypatch.setenv("HTTPS_PROXY", "http://user:hunter2@proxy.example:3128")
    proxy = find_proxy(API)
    assert proxy
    assert proxy.name == "proxy.example:3128"
    assert "hunter2" not in repr(proxy)
    assert find_proxy("http://127.0.0.1:8001/v1") is None


@pytest.mark.parametrize("url", ["socks5://proxy.example:1080", "http://", "http://proxy.example:port"])
def test_an_address_of_no_http_proxy_is_an_error_of_the_settings(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("HTTPS_PROXY", url)
    with pytest.raises(SettingsError, match=r"^HTTPS_PROXY is not the address of a proxy"):
        find_proxy(API)
