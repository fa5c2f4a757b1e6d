"""People at the door of the console, and what they carry."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from glific_gpt.accounts.tables import Role
from tests.accounts.authenticator import Authenticator
from tests.console.users import ConsoleUser, create_user
from tests.support.server import RunningServer, TestOrganization

AddPerson = Callable[..., ConsoleUser]


@pytest.fixture
def add_person(server: RunningServer, alice: TestOrganization) -> Iterator[AddPerson]:
    """Makes a person with a password, in alice's organization; not signed in yet."""
    with ExitStack() as stack:

        def make(email: str, role: Role | None = Role.EDITOR) -> ConsoleUser:
            person = create_user(server, email, role, alice.slug if role else None)
            stack.callback(person.client.close)
            return person

        yield make


@pytest.fixture
def asha(add_person: AddPerson) -> ConsoleUser:
    """An editor who has not signed in."""
    return add_person("asha@example.org")


@pytest.fixture
def authenticator() -> Authenticator:
    return Authenticator()
