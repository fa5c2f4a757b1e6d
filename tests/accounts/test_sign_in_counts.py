"""Failed and throttled attempts to sign in are in the metrics."""

from pathlib import Path

import pytest

from tests.conftest import StartServer
from tests.console.users import ConsoleUser
from tests.support.metrics import metered, scrape
from tests.support.server import RunningServer


@pytest.fixture
def server(start_server: StartServer, tmp_path: Path) -> RunningServer:
    return start_server(**metered(tmp_path))


def test_a_wrong_password_is_counted_and_a_right_one_is_not(server: RunningServer, asha: ConsoleUser) -> None:
    for _ in range(2):
        asha.sign_in("not the password")
    asha.sign_in()
    assert scrape(server.url).total("sign_in_failures_total") == 2
