"""The outbox holds a limited number of e-mails, and an e-mail is stored only with its transaction."""

import pytest

from glific_gpt.clock import now
from glific_gpt.database import transaction
from glific_gpt.emails import outbox
from glific_gpt.emails.smtp import Email
from tests.emails.conftest import LIFETIME, attempt, list_emails, send
from tests.support.mail_server import MailServer
from tests.support.server import RunningServer

EMAIL = Email("asha@example.org", "Your link", "A text")


def test_it_refuses_e_mails_while_too_many_wait(server: RunningServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "MAX_WAITING", 2)
    first = send(server)
    send(server)
    with server.app.app_context(), transaction() as session:
        assert not server.services.outbox.send(session, EMAIL, now() + LIFETIME)
    attempt(server, first)
    with server.app.app_context(), transaction() as session:
        assert server.services.outbox.send(session, EMAIL, now() + LIFETIME)
    assert len(list_emails(server)) == 2


def test_a_transaction_that_is_rolled_back_sends_nothing(server: RunningServer) -> None:
    with server.app.app_context(), transaction() as session:
        server.services.outbox.send(session, EMAIL, now() + LIFETIME)
        session.rollback()
    assert list_emails(server) == []
    assert not server.services.engine.has_unfinished(outbox.ID_PREFIX)


def test_e_mails_are_delayed_from_a_failed_attempt_to_the_next_success(
    server: RunningServer, mail_server: MailServer
) -> None:
    def is_delayed() -> bool:
        with server.app.app_context(), transaction() as session:
            return server.services.outbox.is_delayed(session)

    email_id = send(server)
    assert not is_delayed()
    mail_server.refusals["RCPT"] = "451 try again"
    attempt(server, email_id)
    assert is_delayed()
    mail_server.refusals.clear()
    attempt(server, email_id)
    assert not is_delayed()
