"""People at the door of the console, and what they carry."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from glific_gpt.accounts.tables import Role
from tests.accounts.phone import Phone
from tests.console.users import ConsoleUser, create_user
from tests.support.server import RunningServer, TestOrganization

Hire = Callable[..., ConsoleUser]


@pytest.fixture
def hire(server: RunningServer, alice: TestOrganization) -> Iterator[Hire]:
    """Makes a person with a password, in alice's organization; not signed in yet."""
    with ExitStack() as stack:

        def make(email: str, role: Role | None = Role.EDITOR) -> ConsoleUser:
            person = create_user(server, email, role, alice.slug if role else None)
            stack.callback(person.client.close)
            return person

        yield make


@pytest.fixture
def asha(hire: Hire) -> ConsoleUser:
    """An editor who has not signed in."""
    return hire("asha@example.org")


@pytest.fixture
def phone() -> Phone:
    return Phone()
