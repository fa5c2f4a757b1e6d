"""Password reset on a server that can send e-mail."""

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
import time_machine
from passlib.context import CryptContext

from glific_gpt.accounts import administration, passwords, people
from glific_gpt.accounts.tables import Role
from glific_gpt.database import db, transaction
from glific_gpt.emails import outbox, smtp
from glific_gpt.emails.tables import OutgoingEmail
from tests.accounts.test_passwords import NEW, actions, choose
from tests.conftest import StartServer
from tests.console.users import ConsoleUser, create_user
from tests.durable.conftest import rows
from tests.support.deferred import wait_until
from tests.support.mail_server import LINK, MailServer
from tests.support.server import RunningServer

PAGE = "/console/account/forgotten"
PUBLIC_URL = "https://gpt.example.org"


@pytest.fixture
def server(start_server: StartServer, mail_server: MailServer) -> Iterator[RunningServer]:
    """A server that sends e-mail. Its cookies also work over plain HTTP, as there is no TLS in front of it."""
    server = start_server(
        with_worker=True, public_url=PUBLIC_URL, mail_url=mail_server.url, mail_from="gpt@example.org"
    )
    server.app.config["SESSION_COOKIE_SECURE"] = False
    yield server
    wait_for_worker(server)


@pytest.fixture
def asha(server: RunningServer) -> Iterator[ConsoleUser]:
    server.add_organization("alice")
    person = create_user(server, "asha@example.org", Role.EDITOR, "alice")
    yield person
    person.client.close()


def wait_for_worker(server: RunningServer) -> None:
    """Wait until no e-mail is left to send."""
    wait_until(lambda: not list_emails(server))


def list_emails(server: RunningServer) -> list[OutgoingEmail]:
    with server.app.app_context(), transaction() as session:
        return list(session.scalars(sa.select(OutgoingEmail)))


def request_link(person: ConsoleUser, email: str) -> str:
    answer = person.post(PAGE, {"email": email}, page=PAGE)
    assert answer.status_code == 200
    return answer.text


def test_it_sends_a_link_that_works_once(asha: ConsoleUser, mail_server: MailServer) -> None:
    page = request_link(asha, " Asha@Example.org")
    assert "an e-mail with a link is on its way" in page
    message = mail_server.next_message()
    assert ("password_link_requested", "nobody") in actions(asha)
    assert (message["To"], message["From"]) == ("asha@example.org", "gpt@example.org")
    found = LINK.search(message.get_content())
    assert found
    assert found[0].startswith(PUBLIC_URL)
    assert choose(asha, found[0].removeprefix(PUBLIC_URL)) == 302
    assert asha.sign_in(NEW).status_code == 302


def test_the_link_has_the_public_url_and_not_the_host_of_the_request(
    asha: ConsoleUser, mail_server: MailServer
) -> None:
    token = asha.token(PAGE)
    asha.client.post(
        asha.server.url + PAGE,
        data={"csrf_token": token, "email": asha.email},
        headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example"},
    )
    assert "evil.example" not in mail_server.next_message().as_string()


@pytest.mark.parametrize("email", ["nobody@example.org", "not an address"])
def test_it_shows_the_same_for_an_unknown_address_and_sends_nothing(
    asha: ConsoleUser, mail_server: MailServer, email: str
) -> None:
    assert "an e-mail with a link is on its way" in request_link(asha, email)
    wait_for_worker(asha.server)
    assert mail_server.messages.empty()


def test_it_looks_the_address_up_after_the_response(asha: ConsoleUser, mail_server: MailServer) -> None:
    """The work for a known address would otherwise slow the response down."""
    before = time.monotonic()
    request_link(asha, asha.email)
    mail_server.next_message()
    assert time.monotonic() - before > 1


def test_a_stranger_cannot_make_the_server_hash(asha: ConsoleUser, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hash takes a core and 46 MiB, which calls of flows need."""
    hashed: list[str] = []
    monkeypatch.setattr(CryptContext, "hash", lambda _context, secret, **_options: hashed.append(secret))
    for email in (asha.email, "nobody@example.org"):
        assert "an e-mail with a link is on its way" in request_link(asha, email)
    assert not hashed


def test_it_asks_for_a_missing_address(asha: ConsoleUser) -> None:
    answer = asha.post(PAGE, {"email": ""}, page=PAGE)
    assert answer.status_code == 422
    assert "Enter an e-mail address." in answer.text
    assert list_emails(asha.server) == []


def test_it_sends_nothing_to_a_disabled_user(asha: ConsoleUser, mail_server: MailServer) -> None:
    with asha.server.app.app_context(), transaction() as session:
        administration.set_active(session, people.find_person(session, asha.email), None, is_active=False)
    request_link(asha, asha.email)
    wait_for_worker(asha.server)
    assert mail_server.messages.empty()


def test_it_limits_repeated_requests(asha: ConsoleUser) -> None:
    token = asha.token(PAGE)
    fields = {"csrf_token": token, "email": asha.email}
    statuses = [asha.client.post(asha.server.url + PAGE, data=fields).status_code for _ in range(6)]
    assert statuses == [200] * 5 + [429]


def test_a_link_that_is_sent_again_is_made_and_recorded_once(asha: ConsoleUser, mail_server: MailServer) -> None:
    mail_server.refusals["RCPT"] = "451 try again"
    request_link(asha, asha.email)
    wait_until(lambda: any(row.failed_attempts for row in list_emails(asha.server)))
    mail_server.refusals.clear()
    mail_server.next_message()
    assert [action for action, _ in actions(asha)].count("password_link_requested") == 1


@pytest.mark.parametrize("email", ["asha@example.org", "nobody@example.org", "not an address"])
def test_the_request_does_the_same_for_every_address(
    start_server: StartServer, mail_server: MailServer, database_url: str, email: str
) -> None:
    server = start_server(mail_url=mail_server.url, mail_from="gpt@example.org")
    server.add_organization("alice")
    asha = create_user(server, "asha@example.org", Role.EDITOR, "alice")
    with asha.client:
        statements: list[str] = []
        token = asha.token(PAGE)
        with server.app.app_context():
            sa.event.listen(db.engine, "before_cursor_execute", lambda *details: statements.append(details[2]))
        asha.client.post(server.url + PAGE, data={"csrf_token": token, "email": email})
    assert [statement.split()[0] for statement in statements].count("INSERT") >= 2
    assert not any("users" in statement for statement in statements)
    assert [(row.kind, row.failed_attempts) for row in list_emails(server)] == [(passwords.RESET_LINK, 0)]
    assert rows(database_url, "workflow_status", "status") == [("DELAYED",)]


def test_it_drops_requests_when_too_many_wait(
    asha: ConsoleUser, mail_server: MailServer, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(passwords, "MAX_WAITING_REQUESTS", 0)
    assert "an e-mail with a link is on its way" in request_link(asha, asha.email)
    assert list_emails(asha.server) == []
    assert mail_server.messages.empty()
    assert "email_dropped" in capfd.readouterr().err


@pytest.fixture
def idle(start_server: StartServer, mail_server: MailServer) -> RunningServer:
    """A server that sends e-mail, without a worker, and two people."""
    server = start_server(mail_url=mail_server.url, mail_from="gpt@example.org")
    for email in ("आशा@example.org", "ravi@example.org"):
        create_user(server, email)
    mail_server.extensions = ("8BITMIME", "SMTPUTF8")
    return server


def ask_from_many_networks(server: RunningServer, email: str, *networks: str) -> None:
    for network in networks:
        with server.app.test_request_context():
            passwords.request_reset_email(email, network)


def work(server: RunningServer) -> None:
    """Try to send all e-mails once, as a worker does."""
    for row in list_emails(server):
        with server.app.app_context():
            server.services.email_workflow.attempt(row.id)


@pytest.mark.parametrize("email", ["आशा@example.org", "nobody@example.org"])
def test_one_request_for_an_address_waits_whatever_the_number_of_clients(idle: RunningServer, email: str) -> None:
    ask_from_many_networks(idle, email, "192.0.2.1", "198.51.100.1", "203.0.113.1")
    ask_from_many_networks(idle, f" {email.upper()} ", "192.0.2.2")
    assert len(list_emails(idle)) == 1
    ask_from_many_networks(idle, "ravi@example.org", "192.0.2.1")
    assert len(list_emails(idle)) == 2


def test_an_e_mail_that_waits_for_the_mail_server_does_not_change_what_a_request_stores(
    idle: RunningServer, mail_server: MailServer
) -> None:
    """Otherwise the time of the response would reveal that the address has an account."""
    mail_server.refusals["RCPT"] = "451 try again"
    ask_from_many_networks(idle, "ravi@example.org", "192.0.2.1")
    work(idle)
    ask_from_many_networks(idle, "ravi@example.org", "192.0.2.1")
    assert len(list_emails(idle)) == 2


@pytest.mark.both_databases
def test_an_account_gets_few_e_mails_in_an_hour_whatever_the_number_of_clients(
    idle: RunningServer, mail_server: MailServer
) -> None:
    def count_sent(email: str, network: str = "192.0.2.0") -> int:
        ask_from_many_networks(idle, email, network)
        work(idle)
        sent = 0
        while not mail_server.messages.empty():
            assert mail_server.next_message()["To"] == email
            sent += 1
        return sent

    assert [count_sent("आशा@example.org", f"192.0.2.{number}") for number in range(7)] == [1] * 5 + [0] * 2
    assert list_emails(idle) == []
    assert count_sent("ravi@example.org") == 1
    with time_machine.travel(time.time() + 3601):
        assert count_sent("आशा@example.org") == 1


@pytest.mark.both_databases
def test_e_mails_that_are_composed_at_the_same_moment_keep_to_the_limit(idle: RunningServer) -> None:
    def compose(number: int) -> bool:
        with idle.app.app_context(), transaction() as session:
            parameters = {"email": "ravi@example.org", "client": f"192.0.2.{number}"}
            return passwords.compose_reset_email(session, parameters) is not None

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(compose, range(8))) == passwords.MAX_RESET_EMAILS_PER_HOUR


def test_it_does_not_wait_for_the_mail_server(start_server: StartServer, capfd: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        port = silent.getsockname()[1]
        url = f"smtp://me:a-mail-password@127.0.0.1:{port}"
        server = start_server(with_worker=True, mail_url=url, mail_from="gpt@example.org")
        server.add_organization("alice")
        asha = create_user(server, "asha@example.org", Role.EDITOR, "alice")
        with asha.client:
            before = time.monotonic()
            request_link(asha, asha.email)
            assert time.monotonic() - before < smtp.TIMEOUT_SECONDS - 2
        # The next attempt is enqueued after the first one is logged.
        wait_until(lambda: any("~1" in each for each in server.services.engine.list_known(outbox.ID_PREFIX)))
    logged = capfd.readouterr().err
    assert "email_delayed" in logged
    assert "a-mail-password" not in logged
    assert asha.email not in logged
