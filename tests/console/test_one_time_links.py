"""One-time links on a server that can send e-mail."""

import pytest

from glific_gpt.accounts.tables import Role
from tests.conftest import StartServer
from tests.console.conftest import Staff
from tests.console.invitations import find_link
from tests.support.mail_server import LINK, MailServer
from tests.support.server import RunningServer

MEMBERS = "/console/organizations/alice/members"
INVITATION = {"email": "asha@example.org", "role": "viewer"}


@pytest.fixture
def server(start_server: StartServer, mail_server: MailServer) -> RunningServer:
    return start_server(mail_url=mail_server.url, mail_from="gpt@example.org")


def test_it_sends_the_link_that_it_shows(staff: Staff, mail_server: MailServer) -> None:
    answer = staff(Role.OWNER).post(MEMBERS, INVITATION)
    assert "The link was also sent by e-mail." in answer.text
    letter = mail_server.next_message()
    assert (letter["To"], letter["From"]) == ("asha@example.org", "gpt@example.org")
    found = LINK.search(letter.get_content())
    assert found
    assert found[0].endswith(find_link(answer))


def test_it_shows_the_link_when_no_e_mail_can_be_sent(
    staff: Staff, mail_server: MailServer, capfd: pytest.CaptureFixture[str]
) -> None:
    owner = staff(Role.OWNER)
    mail_server.close()
    answer = owner.post(MEMBERS, INVITATION)
    assert "Send the link to this person in a secure way." in answer.text
    said = capfd.readouterr().err
    assert "mail_failed" in said
    assert find_link(answer).rpartition("/")[2] not in said
