"""The server listens on the address of its settings, or reports in one sentence that it cannot."""

import socket

import pytest

from glific_gpt.errors import SettingsError
from glific_gpt.server import listening, supervisor
from tests.support.platforms import requires_ipv6
from tests.support.settings import create_settings

GLIFIC_REUSES_SECONDS = 60
"""The idle time-out of hackney's connection pool."""


def refusal(bind: str) -> str:
    with pytest.raises(SettingsError) as caught:
        supervisor.run(create_settings(bind=bind))
    return str(caught.value)


def test_it_refuses_an_address_in_use() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        bind = f"127.0.0.1:{taken.getsockname()[1]}"
        assert refusal(bind) == f"The server cannot listen on {bind}: it is in use, or not an address of this machine."


@pytest.mark.parametrize("bind", ["192.0.2.1:8000", "127.0.0.1:99999"])
def test_it_refuses_an_invalid_address(bind: str) -> None:
    assert refusal(bind) == f"The server cannot listen on {bind}: it is in use, or not an address of this machine."


@requires_ipv6
def test_all_addresses_of_ipv6_include_those_of_ipv4() -> None:
    with listening.bind_socket("[::]:0") as listener:
        listener.listen()
        port = listener.getsockname()[1]
        for host in ("127.0.0.1", "::1"):
            socket.create_connection((host, port), 5).close()


def test_idle_connections_are_kept_longer_than_glific_reuses_them() -> None:
    with socket.socket() as listener:
        assert listening.uvicorn_config("app", listener).timeout_keep_alive > GLIFIC_REUSES_SECONDS
