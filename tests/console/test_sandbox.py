"""Pages of a server whose answers are made up."""

from glific_gpt.accounts.tables import Role
from tests.conftest import StartServer
from tests.console.test_openai import KEY, PAGE, TEST
from tests.console.users import ConsoleUser, create_anonymous, create_user
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import TestOrganization

STRIP = "Sandbox: answers are made up, OpenAI is not asked."


def test_every_page_of_a_sandbox_says_so_and_no_key_is_called_accepted(
    start_server: StartServer, alice: TestOrganization, openai: OpenAIStandIn
) -> None:
    sandbox = start_server(sandbox=True, openai_base_url=openai.base_url)
    person = create_user(sandbox, "sandbox@alice.example.org", Role.EDITOR, alice.slug)
    assert STRIP in create_anonymous(sandbox).get("/console/sign-in").text
    assert person.sign_in().status_code == 302
    assert STRIP in person.get("/console/organizations/alice/").text
    assert STRIP in person.get("/console/account/").text
    tested = person.post(TEST, {"api_key": KEY}).text
    assert "Sandbox: OpenAI was not asked, so this key is not tested." in tested
    assert "OpenAI accepts" not in tested


def test_other_servers_have_no_strip(viewer: ConsoleUser) -> None:
    assert STRIP not in viewer.get(PAGE).text
