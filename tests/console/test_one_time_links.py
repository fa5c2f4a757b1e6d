"""One-time links on a server that can send e-mail."""

import time

import pytest
import sqlalchemy as sa
import time_machine

from glific_gpt.accounts import people
from glific_gpt.accounts.tables import Role
from glific_gpt.console.one_time_links import issue_link
from glific_gpt.database import transaction
from glific_gpt.emails import outbox
from glific_gpt.emails.tables import OutgoingEmail
from glific_gpt.organizations import store
from tests.conftest import StartServer
from tests.console.conftest import Staff
from tests.console.invitations import find_link, find_user
from tests.durable.conftest import rows
from tests.support.deferred import wait_until
from tests.support.mail_server import LINK, MailServer
from tests.support.server import RunningServer

MEMBERS = "/console/organizations/alice/members"
INVITATION = {"email": "asha@example.org", "role": "viewer"}


@pytest.fixture
def server(start_server: StartServer, mail_server: MailServer) -> RunningServer:
    return start_server(with_worker=True, mail_url=mail_server.url, mail_from="gpt@example.org")


def test_it_sends_the_link_that_it_shows(server: RunningServer, staff: Staff, mail_server: MailServer) -> None:
    answer = staff(Role.OWNER).post(MEMBERS, INVITATION)
    assert "The link is also on its way by e-mail." in answer.text
    letter = mail_server.next_message()
    assert (letter["To"], letter["From"]) == ("asha@example.org", "gpt@example.org")
    found = LINK.search(letter.get_content())
    assert found
    assert found[0].endswith(find_link(answer))
    wait_until(lambda: not count_emails(server))


def test_it_says_that_e_mails_are_delayed_while_the_mail_server_is_down(
    staff: Staff, mail_server: MailServer, capfd: pytest.CaptureFixture[str]
) -> None:
    owner = staff(Role.OWNER)
    mail_server.close()
    assert "The link is also on its way by e-mail." in owner.post(MEMBERS, INVITATION).text
    wait_until(lambda: count_emails(owner.server, OutgoingEmail.failed_attempts > 0) == 1)
    answer = owner.post(MEMBERS, INVITATION | {"email": "ravi@example.org"})
    assert "e-mails are delayed at the moment. Send it to this person in a secure way." in answer.text
    wait_until(lambda: count_emails(owner.server, OutgoingEmail.failed_attempts > 0) == 2)
    logged = capfd.readouterr().err
    assert "email_delayed" in logged
    assert find_link(answer).rpartition("/")[2] not in logged


def test_the_e_mails_of_an_organization_have_its_partition(
    start_server: StartServer, mail_server: MailServer, database_url: str
) -> None:
    server = start_server(mail_url=mail_server.url, mail_from="gpt@example.org")
    server.add_organization("alice")
    with server.app.test_request_context():
        with transaction() as session:
            number = store.find(session, "alice").id
            user, _ = people.add_member(session, number, INVITATION["email"], Role.VIEWER)
        issue_link(user, number)
        issue_link(user)
    assert sorted(rows(database_url, "workflow_status", "queue_partition_key")) == [(f"-{number}",), ("0",)]


def test_a_person_gets_few_e_mails_with_links_in_an_hour(
    server: RunningServer, staff: Staff, mail_server: MailServer
) -> None:
    owner, administrator = staff(Role.OWNER), staff(None)
    pages = [owner.post(MEMBERS, INVITATION)]
    member = find_user(server, INVITATION["email"]).id
    pages += [owner.post(f"{MEMBERS}/{member}/link") for _ in range(3)]
    pages += [administrator.post(f"/console/server/people/{member}/link") for _ in range(3)]
    assert ["on its way by e-mail" in page.text for page in pages] == [True] * 5 + [False] * 2
    assert all(find_link(page) for page in pages)
    assert "on its way by e-mail" in owner.post(MEMBERS, INVITATION | {"email": "ravi@example.org"}).text
    with time_machine.travel(time.time() + 3601):
        assert "on its way by e-mail" in administrator.post(f"/console/server/people/{member}/link").text


def test_it_shows_the_link_when_too_many_e_mails_wait(
    staff: Staff, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(outbox, "MAX_WAITING", 0)
    answer = staff(Role.OWNER).post(MEMBERS, INVITATION)
    assert "Send the link to this person in a secure way." in answer.text
    assert find_link(answer)
    assert "email_dropped" in capfd.readouterr().err


def test_it_shows_the_link_when_the_e_mail_cannot_be_stored(staff: Staff, capfd: pytest.CaptureFixture[str]) -> None:
    owner = staff(Role.OWNER)
    with owner.server.app.app_context(), transaction() as session:
        session.execute(sa.text("DROP TABLE outgoing_emails"))
    answer = owner.post(MEMBERS, INVITATION)
    assert "Send the link to this person in a secure way." in answer.text
    assert find_link(answer)
    assert "email_dropped" in capfd.readouterr().err


def count_emails(server: RunningServer, *conditions: sa.ColumnElement[bool]) -> int:
    """Return the number of waiting e-mails."""
    with server.app.app_context(), transaction() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(OutgoingEmail).where(*conditions)) or 0
