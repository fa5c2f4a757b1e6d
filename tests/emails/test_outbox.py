"""The outbox holds a limited number of e-mails, and an e-mail is stored only with its transaction."""

import pytest

from glific_gpt.clock import now
from glific_gpt.database import transaction
from glific_gpt.emails import outbox
from glific_gpt.emails.smtp import Email
from tests.durable.conftest import rows
from tests.emails.conftest import LIFETIME, attempt, list_emails, send
from tests.support.mail_server import MailServer
from tests.support.server import RunningServer

EMAIL = Email("asha@example.org", "Your link", "A text")


def test_it_refuses_e_mails_while_too_many_wait(server: RunningServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "MAX_WAITING", 2)
    first = send(server, "ravi@example.org")
    send(server, "meena@example.org")
    with server.app.app_context(), transaction() as session:
        assert not server.services.outbox.send(session, EMAIL, now() + LIFETIME)
    attempt(server, first)
    with server.app.app_context(), transaction() as session:
        assert server.services.outbox.send(session, EMAIL, now() + LIFETIME)
    assert len(list_emails(server)) == 2


def test_a_new_e_mail_replaces_the_one_that_waits_for_the_same_person(
    server: RunningServer, mail_server: MailServer
) -> None:
    other, replaced, last = send(server, "ravi@example.org"), send(server), send(server)
    assert {row.id for row in list_emails(server)} == {other, last}
    assert [attempt(server, email_id) for email_id in (replaced, last)] == [None, None]
    assert mail_server.next_message()["Message-ID"] == f"<{last}@example.org>"
    assert mail_server.messages.empty()


def test_e_mails_of_another_kind_do_not_count(server: RunningServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "MAX_WAITING", 1)
    for number in range(2):
        assert request(server, f"person{number}@example.org", limit=2)
    assert not request(server, "person2@example.org", limit=2)
    send(server)
    assert not request(server, "person2@example.org", limit=2)
    assert request(server, "person2@example.org", limit=3)


def test_the_e_mails_of_each_organization_have_a_partition_that_its_calls_do_not_use(
    server: RunningServer, database_url: str
) -> None:
    with server.app.app_context(), transaction() as session:
        for number in (0, 7, 8):
            email = Email(f"person{number}@example.org", "Your link", "A text")
            assert server.services.outbox.send(session, email, now() + LIFETIME, number)
    assert sorted(rows(database_url, "workflow_status", "queue_partition_key")) == [("-7",), ("-8",), ("0",)]


def request(server: RunningServer, recipient: str, limit: int) -> bool:
    """Put an e-mail into the outbox that a worker composes. Returns False if too many wait."""
    with server.app.app_context(), transaction() as session:
        return server.services.outbox.compose_and_send(
            session, "a_kind", recipient, {}, now() + LIFETIME, delay_seconds=1, limit=limit
        )


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


def test_e_mails_about_alerts_replace_nothing(server: RunningServer) -> None:
    send(server)
    with server.app.app_context(), transaction() as session:
        for _ in range(2):
            server.services.outbox.send(session, EMAIL, now() + LIFETIME, topic=outbox.ALERT)
    assert len(list_emails(server)) == 3
