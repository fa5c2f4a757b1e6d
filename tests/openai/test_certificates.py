"""OpenAI's certificate is verified before a key is sent."""

import ssl
from pathlib import Path

import httpx2
import pytest

from glific_gpt.openai.connections import ConnectionPool
from tests.openai.test_connections import post
from tests.support.self_signed import LOOPBACK, run_self_signed_server


def test_nothing_is_sent_to_a_server_with_an_untrusted_certificate(tmp_path: Path) -> None:
    with run_self_signed_server(tmp_path) as (port, received), pytest.raises(httpx2.ConnectError):
        post(ConnectionPool(f"https://{LOOPBACK}:{port}/v1"))
    assert received == []


@pytest.mark.parametrize(("host", "is_named"), [(LOOPBACK, True), ("localhost", False)])
def test_a_trusted_certificate_must_name_the_host(tmp_path: Path, host: str, is_named: bool) -> None:
    with run_self_signed_server(tmp_path) as (port, received):
        pool = ConnectionPool(f"https://{host}:{port}/v1")
        pool._tls = ssl.create_default_context(cafile=tmp_path / "self_signed.pem")
        with pytest.raises(httpx2.ConnectError):  # this server closes the connection without a reply
            post(pool)
        assert bool(received) is is_named
