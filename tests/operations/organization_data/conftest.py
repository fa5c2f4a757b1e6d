"""Servers with long deadlines: the tests are not about speed, and may run on a busy machine."""

import pytest

from tests.conftest import StartServer
from tests.support.server import RunningServer

DEADLINE_SECONDS = 15.0


@pytest.fixture
def server(start_server: StartServer) -> RunningServer:
    started = start_server(deadline_seconds=DEADLINE_SECONDS)
    with started.app.app_context():
        started.services.engine.list_unfinished()  # imports DBOS, for which a call would not have the time
    return started


@pytest.fixture
def server_with_worker(start_server: StartServer) -> RunningServer:
    return start_server(with_worker=True, deadline_seconds=DEADLINE_SECONDS)
