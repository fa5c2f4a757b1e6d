"""The journey of a flow builder: an own flow converted and tested, a prompt tried and used, a failed call explained."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from glific_gpt.accounts.tables import Role
from glific_gpt.flows import files, rules
from glific_gpt.flows.simulator import Conversation
from glific_gpt.operations.ready_flows.http_sender import HttpSender
from tests.console.effort import Effort
from tests.console.flow_files import find_webhook_actions
from tests.console.users import PASSWORD, create_user
from tests.flows.exports import question_export, to_file_text
from tests.support import openai_behaviours as behaviours
from tests.support.chromium import open_browser_window
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import RunningServer, TestOrganization

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

MAX_CLICKS, MAX_FIELDS = 14, 7
EDITOR = "ravi@alice.example.org"
ANSWER, PROMPT, MODEL = "Half a teaspoon, and six of sugar.", "You advise mothers of babies.", "gpt-4o-mini"
QUESTION = "How much salt is in ORS?"
PAGE_TITLE = "Use it in Glific"


@pytest.fixture
def own_flow(tmp_path: Path) -> Path:
    """A file from Glific, with a flow that calls Glific's own function."""
    path = tmp_path / "helpline.json"
    path.write_text(to_file_text(question_export()), encoding="utf-8")
    return path


def sign_in(done: Effort) -> None:
    page = done.shown.page
    done.shown.open("/")
    done.check_page("Sign in")
    done.fill(page.get_by_label("E-mail"), EDITOR)
    done.fill(page.get_by_label("Password", exact=True), PASSWORD)
    done.click(page.get_by_role("button", name="Sign in"))
    done.check_page("Overview")


def convert_flow(done: Effort, own_flow: Path) -> Path:
    """Preview the conversion, download the converted flow, and return its file."""
    page = done.shown.page
    done.click(page.get_by_role("navigation", name="Pages").get_by_role("link", name=PAGE_TITLE))
    done.click(page.get_by_role("link", name="Convert"))
    done.choose_file(page.get_by_label("Exported flow"), own_flow)
    done.click(page.get_by_role("button", name="Preview changes"))
    expect(page.get_by_text("1 node will call this server.")).to_be_visible()
    done.check_page(PAGE_TITLE)
    return done.download(page.get_by_role("button", name="Convert and download"), own_flow.parent)


def check_set_up(done: Effort) -> None:
    page = done.shown.page
    done.click(page.get_by_role("link", name="Test the whole setup"))
    done.click(page.get_by_role("button", name="Test the whole setup"))
    expect(page.get_by_role("group", name="Test conversation")).to_contain_text(ANSWER)
    done.check_page(PAGE_TITLE)


def use_prompt(done: Effort, folder: Path) -> Path:
    """Try a prompt and a model, download a flow with them, and return its file."""
    page = done.shown.page
    done.click(page.get_by_role("link", name="Try it"))
    done.fill(page.get_by_label("Question", exact=True), QUESTION)
    done.fill(page.get_by_label("Prompt"), PROMPT)
    done.choose_option(page.get_by_label("Model"), MODEL)
    done.click(page.get_by_role("button", name="Ask the question"))
    expect(page.locator("#bubble")).to_have_text(ANSWER)
    done.check_page("Try it")
    done.click(page.get_by_role("button", name="Use this in my flow"))
    expect(page.get_by_text("The model and the prompt of your test question are filled in.")).to_be_visible()
    done.check_page(PAGE_TITLE)
    return done.download(page.get_by_role("button", name="Download flow"), folder)


def explain_failure(done: Effort) -> None:
    """Find the failed call of a contact, and read its page."""
    page = done.shown.page
    done.click(page.get_by_role("link", name="Calls", exact=True))
    done.fill(page.get_by_label("Call ID, contact or flow"), "21")
    done.click(page.get_by_role("button", name="Search"))
    expect(page.get_by_text("1 call matches.")).to_be_visible()
    done.check_page("Calls")
    done.click(page.locator("tr[data-call]").get_by_role("link"))
    problem = page.get_by_role("region", name="Variable not filled in")
    for said in ("@results.question_1.input", "question_text", "The author of the flow, in Glific"):
        expect(problem).to_contain_text(said)
    done.check_page("Call")


def answers(flow: Path, keyword: str) -> str:
    """Return the messages of a conversation with the flow."""
    conversation = Conversation(files.parse_export(flow.read_bytes()), send=HttpSender())
    conversation.start(keyword)
    conversation.send_text(QUESTION)
    assert conversation.problems == []
    return "\n".join(conversation.messages)


def test_a_flow_is_converted_a_prompt_used_and_a_failure_explained_with_few_clicks_and_fields(
    front: RunningServer, alice: TestOrganization, browser: Browser, openai: OpenAIStandIn, own_flow: Path
) -> None:
    create_user(front, "admin@example.org").client.close()
    create_user(front, EDITOR, Role.EDITOR, "alice").client.close()
    openai.always(behaviours.answer(ANSWER))
    with open_browser_window(browser, front.url) as shown:
        done = Effort(shown)
        sign_in(done)
        converted = convert_flow(done, own_flow)
        check_set_up(done)
        new = use_prompt(done, own_flow.parent)
        alice.ask("@results.question_1.input", contact={"id": 21}, flow_id="5")
        alice.ask(contact={"id": 22}, flow_id="6")
        explain_failure(done)
    assert ANSWER in answers(converted, "askown")
    export = files.parse_export(new.read_bytes())
    assert rules.find_violations(export) == []
    bodies = [action["body"] for action in find_webhook_actions(export)]
    assert all(PROMPT in body and MODEL in body for body in bodies)
    assert done.clicks <= MAX_CLICKS
    assert done.fields <= MAX_FIELDS
