"""Users of the console and their authenticators."""

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
    """Create a user with a password in the organization alice, not signed in yet."""
    with ExitStack() as stack:

        def create(email: str, role: Role | None = Role.EDITOR) -> ConsoleUser:
            person = create_user(server, email, role, alice.slug if role else None)
            stack.callback(person.client.close)
            return person

        yield create


@pytest.fixture
def asha(add_person: AddPerson) -> ConsoleUser:
    """An editor before signing in."""
    return add_person("asha@example.org")


@pytest.fixture
def authenticator() -> Authenticator:
    return Authenticator()
