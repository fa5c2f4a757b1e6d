"""An e-mail is sent once the mail server accepts it, and given up after hours or a final refusal."""

import json
import smtplib
import ssl
from datetime import timedelta
from typing import Any, NoReturn

import pytest
import sqlalchemy as sa
import time_machine
from cryptography.fernet import Fernet

from glific_gpt.clock import now
from glific_gpt.database import transaction
from glific_gpt.emails import sending, smtp
from tests.emails.conftest import (
    LIFETIME,
    RECIPIENT,
    SUBJECT,
    TEXT,
    StartMailingServer,
    attempt,
    list_emails,
    send,
)
from tests.support.deferred import start_worker_in_process, wait_until
from tests.support.mail_server import MailServer
from tests.support.programs import free_port
from tests.support.server import RunningServer
from tests.support.settings import ENCRYPTION_KEY


def events(capfd: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """Return the lines of the log about e-mails, without their times and ids."""
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines() if line.startswith("{")]
    left_out = ("timestamp", "email_id", "retry_after_seconds")
    return [
        {name: value for name, value in line.items() if name not in left_out}
        for line in lines
        if line["event"].startswith("email_")
    ]


def test_it_sends_the_e_mail_and_forgets_it(
    server: RunningServer, mail_server: MailServer, capfd: pytest.CaptureFixture[str]
) -> None:
    start_worker_in_process(server)
    email_id = send(server)
    message = mail_server.next_message()
    assert (message["To"], message["From"], message["Subject"]) == (RECIPIENT, "gpt@example.org", SUBJECT)
    assert message.get_content().strip() == TEXT
    assert message["Message-ID"] == f"<{email_id}@example.org>"
    wait_until(lambda: not list_emails(server))
    wait_until(lambda: not server.services.engine.has_unfinished(email_id))
    assert events(capfd) == [{"event": "email_sent", "level": "info", "failed_attempts": 0}]


def test_an_e_mail_arrives_after_the_mail_server_was_down(
    start_mailing_server: StartMailingServer, capfd: pytest.CaptureFixture[str]
) -> None:
    port = free_port()
    server = start_mailing_server(mail_url=f"smtp://127.0.0.1:{port}")
    start_worker_in_process(server)
    email_id = send(server)
    wait_until(lambda: any(row.failed_attempts for row in list_emails(server)))
    mail_server = MailServer(port)
    try:
        assert mail_server.next_message(20)["To"] == RECIPIENT
        wait_until(lambda: not server.services.engine.has_unfinished(email_id))
    finally:
        mail_server.close()
    delayed, *_, sent = events(capfd)
    assert (delayed["event"], delayed["level"], delayed["reason"]) == (
        "email_delayed",
        "warning",
        "ConnectionRefusedError",
    )
    assert sent["event"] == "email_sent"
    assert sent["failed_attempts"] >= 1


def test_the_pauses_between_attempts_grow_to_minutes(server: RunningServer, mail_server: MailServer) -> None:
    mail_server.close()
    email_id = send(server)
    pauses = [attempt(server, email_id) or 0.0 for _ in range(12)]
    assert all(0.8 * 2**number <= pause <= 2**number for number, pause in enumerate(pauses[:9], start=1))
    assert all(8 * 60 <= pause <= 10 * 60 for pause in pauses[9:])


def test_it_gives_up_after_hours(
    server: RunningServer, mail_server: MailServer, capfd: pytest.CaptureFixture[str]
) -> None:
    mail_server.close()
    email_id = send(server)
    first = now() + timedelta(hours=10)  # the time without a worker does not count
    with time_machine.travel(first, tick=False):
        assert attempt(server, email_id)
    with time_machine.travel(first + sending.RETRY_FOR, tick=False):
        assert attempt(server, email_id)
        assert list_emails(server)
    with time_machine.travel(first + sending.RETRY_FOR + timedelta(seconds=1), tick=False):
        assert attempt(server, email_id) is None
    assert list_emails(server) == []
    assert events(capfd)[-1] == {
        "event": "email_failed",
        "level": "error",
        "failed_attempts": 3,
        "reason": "ConnectionRefusedError",
    }


def test_an_e_mail_whose_link_has_expired_is_not_sent(
    server: RunningServer, mail_server: MailServer, capfd: pytest.CaptureFixture[str]
) -> None:
    email_id = send(server)
    with time_machine.travel(now() + LIFETIME, tick=False):
        assert attempt(server, email_id) is None
    assert mail_server.messages.empty()
    assert list_emails(server) == []
    assert events(capfd) == [
        {"event": "email_failed", "level": "error", "failed_attempts": 0, "reason": "link_expired"}
    ]


@pytest.mark.parametrize(
    ("command", "reply", "reason"),
    [
        ("RCPT", "550 no such user: asha@example.org", "SMTPRecipientsRefused 550"),
        ("DATA", "554 your private link is spam", "SMTPDataError 554"),
    ],
)
def test_a_final_refusal_of_the_mail_server_is_not_repeated(
    server: RunningServer,
    mail_server: MailServer,
    capfd: pytest.CaptureFixture[str],
    command: str,
    reply: str,
    reason: str,
) -> None:
    mail_server.refusals[command] = reply
    assert attempt(server, send(server)) is None
    assert list_emails(server) == []
    assert events(capfd) == [{"event": "email_failed", "level": "error", "failed_attempts": 1, "reason": reason}]


@pytest.mark.parametrize(
    ("command", "reply", "reason"),
    [
        ("RCPT", "451 greylisted, try again", "SMTPRecipientsRefused 451"),
        ("DATA", "452 disk full", "SMTPDataError 452"),
        ("MAIL", "530 authentication required", "SMTPSenderRefused 530"),
    ],
)
def test_a_refusal_that_may_end_is_repeated(
    server: RunningServer,
    mail_server: MailServer,
    capfd: pytest.CaptureFixture[str],
    command: str,
    reply: str,
    reason: str,
) -> None:
    mail_server.refusals[command] = reply
    email_id = send(server)
    assert attempt(server, email_id)
    assert events(capfd) == [{"event": "email_delayed", "level": "warning", "failed_attempts": 1, "reason": reason}]
    mail_server.refusals.clear()
    assert attempt(server, email_id) is None
    assert mail_server.next_message()["To"] == RECIPIENT


@pytest.mark.parametrize("recipient", ["ünï@example.org", "आशा@example.org", "आशा@उदाहरण.example"])
def test_an_address_in_any_script_gets_its_e_mail_from_a_mail_server_that_can_send_it(
    server: RunningServer, mail_server: MailServer, recipient: str
) -> None:
    mail_server.extensions = ("8BITMIME", "SMTPUTF8")
    email_id = send(server, recipient)
    assert attempt(server, email_id) is None
    message = mail_server.next_message()
    assert (message["To"], message["From"], message["Subject"]) == (recipient, "gpt@example.org", SUBJECT)
    assert message["Message-ID"] == f"<{email_id}@example.org>"
    assert message.get_content().strip() == TEXT
    assert "SMTPUTF8" in mail_server.mail_commands[0].upper()


@pytest.mark.parametrize(
    ("recipient", "reason"),
    [
        ("आशा@example.org", "EmailNotSendable SMTPNotSupportedError"),
        (f"asha@{'ü' * 70}.example", "EmailNotSendable Unicode"),
    ],
)
def test_an_address_that_the_mail_server_can_never_take_is_not_tried_again(
    server: RunningServer, mail_server: MailServer, capfd: pytest.CaptureFixture[str], recipient: str, reason: str
) -> None:
    assert attempt(server, send(server, recipient)) is None
    assert list_emails(server) == []
    assert mail_server.messages.empty()
    (event,) = events(capfd)
    assert (event["event"], event["failed_attempts"]) == ("email_failed", 1)
    assert event["reason"].startswith(reason)


@pytest.mark.parametrize(
    "failure",
    [
        ssl.SSLCertVerificationError("expired"),  # also a ValueError
        smtplib.SMTPNotSupportedError("STARTTLS extension not supported by server."),
        UnicodeEncodeError("ascii", "पासवर्ड", 0, 1, "a password"),
    ],
)
def test_a_connection_that_fails_because_of_the_settings_is_tried_again(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    def fail(_connection: smtp.VerifiedConnection) -> NoReturn:
        raise failure

    monkeypatch.setattr(smtp.VerifiedConnection, "configure_host", fail)
    assert attempt(server, send(server))
    assert len(list_emails(server)) == 1


def test_a_sender_that_the_mail_server_cannot_take_can_be_corrected(
    start_mailing_server: StartMailingServer, mail_server: MailServer
) -> None:
    email_id = send(start_mailing_server(mail_from="जीपीटी@example.org"))
    assert attempt(start_mailing_server(mail_from="जीपीटी@example.org"), email_id)
    assert attempt(start_mailing_server(), email_id) is None
    assert mail_server.next_message()["To"] == RECIPIENT


def test_a_mail_server_that_does_not_say_goodbye_gets_the_e_mail_once(
    server: RunningServer, mail_server: MailServer
) -> None:
    mail_server.closes_early = True
    email_id = send(server)
    assert attempt(server, email_id) is None
    assert attempt(server, email_id) is None
    mail_server.next_message()
    assert mail_server.messages.empty()


def test_an_e_mail_waits_for_a_process_that_can_read_it(
    start_mailing_server: StartMailingServer, mail_server: MailServer, capfd: pytest.CaptureFixture[str]
) -> None:
    server = start_mailing_server(encryption_keys=ENCRYPTION_KEY)
    other = start_mailing_server(encryption_keys=Fernet.generate_key().decode())
    email_id = send(server)
    with time_machine.travel(now() + sending.RETRY_FOR * 2, tick=False):
        assert attempt(other, email_id) == sending.KEY_WAIT_SECONDS
    assert "secret_unreadable" in capfd.readouterr().err
    assert attempt(server, email_id) is None
    assert mail_server.next_message()["To"] == RECIPIENT


def test_a_process_without_a_mail_server_leaves_the_e_mail_to_others(
    start_mailing_server: StartMailingServer, mail_server: MailServer, capfd: pytest.CaptureFixture[str]
) -> None:
    server = start_mailing_server()
    email_id = send(server)
    assert attempt(start_mailing_server(mail_url=None, mail_from=None), email_id)
    assert events(capfd)[0]["reason"] == "MailServerMissing"
    assert attempt(server, email_id) is None
    assert mail_server.next_message()["To"] == RECIPIENT


def test_a_repeated_e_mail_can_be_recognized(server: RunningServer, mail_server: MailServer) -> None:
    """A process that is killed after it has sent an e-mail leaves the row, and another one sends it again."""
    email_id = send(server)
    with server.app.app_context(), transaction() as session:
        session.execute(sa.text("CREATE TABLE kept AS SELECT * FROM outgoing_emails"))
    attempt(server, email_id)
    with server.app.app_context(), transaction() as session:
        session.execute(sa.text("INSERT INTO outgoing_emails SELECT * FROM kept"))
        session.execute(sa.text("DROP TABLE kept"))
    with time_machine.travel(now() + timedelta(hours=1)):
        attempt(server, email_id)
    first, second = mail_server.next_message(), mail_server.next_message()
    assert (first["Message-ID"], first["Date"]) == (second["Message-ID"], second["Date"])


def test_neither_the_database_nor_the_log_contains_the_e_mail(
    server: RunningServer, mail_server: MailServer, capfd: pytest.CaptureFixture[str]
) -> None:
    mail_server.refusals["RCPT"] = f"451 {RECIPIENT} is busy: {SUBJECT}"
    email_id = send(server)
    attempt(server, email_id)
    (row,) = list_emails(server)
    logged = capfd.readouterr().err
    assert email_id in logged
    for secret in (RECIPIENT, SUBJECT, TEXT):
        assert secret not in str(vars(row))
        assert secret not in logged
