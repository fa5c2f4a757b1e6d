"""A server with the database of the commands, for commands that call it over a socket."""

import pytest

from tests.cli.conftest import Commands, OpenCommands
from tests.conftest import OpenHouse
from tests.support.house import House, Ngo


@pytest.fixture
def database_url(database: str) -> str:
    """The server uses the database of the commands."""
    return database


@pytest.fixture
def house(open_a_house: OpenHouse) -> House:
    return open_a_house()


@pytest.fixture
def alice(house: House) -> Ngo:
    return house.ngo("alice")


@pytest.fixture
def flask(flask_with: OpenCommands, house: House) -> Commands:
    """Commands with the address of the server."""
    return flask_with(public_url=house.url, glific_hosts="127.0.0.1")
