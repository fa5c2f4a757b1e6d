"""Servers that can send e-mail, and the e-mails that wait."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from glific_gpt.clock import now
from glific_gpt.database import transaction
from glific_gpt.emails.smtp import Email
from glific_gpt.emails.tables import OutgoingEmail
from tests.conftest import StartServer
from tests.support.mail_server import MailServer
from tests.support.server import RunningServer

RECIPIENT, SUBJECT, TEXT = "asha@example.org", "Your private link", "https://gpt.example.org/a-private-link"
LIFETIME = timedelta(days=3)

StartMailingServer = Callable[..., RunningServer]


@pytest.fixture
def start_mailing_server(start_server: StartServer, mail_server: MailServer) -> StartMailingServer:
    """Start a server without a worker that sends through `mail_server`."""

    defaults: dict[str, Any] = {"mail_url": mail_server.url, "mail_from": "gpt@example.org"}
    return lambda **settings: start_server(**(defaults | settings))


@pytest.fixture
def server(start_mailing_server: StartMailingServer) -> RunningServer:
    """A server without a worker."""
    return start_mailing_server()


def send(server: RunningServer, recipient: str = RECIPIENT, lifetime: timedelta = LIFETIME) -> str:
    """Put an e-mail into the outbox, and return its id."""
    known = {row.id for row in list_emails(server)}
    with server.app.app_context(), transaction() as session:
        assert server.services.outbox.send(session, Email(recipient, SUBJECT, TEXT), now() + lifetime)
    (email_id,) = {row.id for row in list_emails(server)} - known
    return email_id


def attempt(server: RunningServer, email_id: str) -> float | None:
    """Try to send an e-mail, as a worker does. Returns the seconds until the next attempt."""
    with server.app.app_context():
        return server.services.email_workflow.attempt(email_id)


def list_emails(server: RunningServer) -> list[OutgoingEmail]:
    with server.app.app_context(), transaction() as session:
        return list(session.scalars(sa.select(OutgoingEmail)))
