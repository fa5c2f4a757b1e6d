"""The server reports in one sentence that it cannot listen."""

import socket

import pytest

from glific_gpt.errors import SettingsError
from glific_gpt.server import supervisor
from tests.support.settings import create_settings


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
