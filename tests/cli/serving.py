"""A server with the database of the commands, for commands that call it over a socket."""

import pytest

from tests.cli.conftest import Commands, OpenCommands
from tests.conftest import StartServer
from tests.support.server import RunningServer, TestOrganization


@pytest.fixture
def database_url(database: str) -> str:
    """The server uses the database of the commands."""
    return database


@pytest.fixture
def server(start_server: StartServer) -> RunningServer:
    return start_server()


@pytest.fixture
def alice(server: RunningServer) -> TestOrganization:
    return server.add_organization("alice")


@pytest.fixture
def flask(flask_with: OpenCommands, server: RunningServer) -> Commands:
    """Commands with the address of the server."""
    return flask_with(public_url=server.url, glific_hosts="127.0.0.1")
