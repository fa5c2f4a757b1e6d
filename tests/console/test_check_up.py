"""The setup test in the console."""

import html
import re
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest

from glific_gpt.operations.doctor.test_call import QUESTION
from tests.console.flow_files import CHECK
from tests.console.test_ready_flow import tokens
from tests.console.test_use_in_glific import TOKEN
from tests.console.users import ConsoleUser
from tests.support import openai_behaviours as behaviours
from tests.support.glific_stand_in import PHONE, GlificStandIn
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import RunningServer, TestOrganization

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

WELL = "Contacts get answers"


def check(person: ConsoleUser, *, part: bool = False, **fields: str) -> httpx2.Response:
    headers = {"HX-Request": "true"} if part else {}
    data = {"csrf_token": person.token()} | fields
    return person.client.post(person.server.url + CHECK, data=data, headers=headers)


def found(answer: httpx2.Response) -> str:
    """Return the text of the results."""
    assert answer.status_code == 200, answer.text[:2000]
    part = answer.text.partition('id="check-up-results"')[2].partition("</section>")[0] or answer.text
    return " ".join(html.unescape(re.sub(r"<svg.*?</svg>|<[^>]+>", " ", part, flags=re.DOTALL)).split())


def bubbles(answer: httpx2.Response) -> list[str]:
    return [html.unescape(text) for text in re.findall(r'class="wa-text">(.*?)</span>', answer.text, re.DOTALL)]


def questions(openai: OpenAIStandIn) -> list[str]:
    """Return the paid requests to OpenAI. Listing models costs nothing."""
    return [asked.question for asked in openai.requests if asked.path != "/v1/models"]


def test_it_reports_a_working_setup_and_shows_the_conversation(
    front_editor: ConsoleUser, alice: TestOrganization, openai: OpenAIStandIn, capfd: pytest.CaptureFixture[str]
) -> None:
    openai.will(behaviours.answer("Two and two is **four**, as 1 < 2 & 3 > 2."))
    answer = check(front_editor)
    assert WELL in found(answer)
    assert "<b>four</b>, as 1 &lt; 2 &amp; 3 &gt; 2." in answer.text
    assert bubbles(answer)[:3] == [
        "checkup",
        "Hello! What would you like to know? Type your question. To finish, type END.",
        QUESTION,
    ]
    assert "Memory · OK" in found(answer)
    calls = alice.calls()
    assert [call["status"] for call in calls] == ["ok"] * 3
    for call in calls:
        assert "Test question" in front_editor.get(f"/console/organizations/alice/calls/{call['call_id']}").text
    audit = front_editor.get("/console/organizations/alice/audit").text
    assert not TOKEN.search(answer.text + "".join(capfd.readouterr()) + audit)
    assert tokens(front_editor) == 1


def test_a_dry_run_asks_no_model(front_editor: ConsoleUser, alice: TestOrganization, openai: OpenAIStandIn) -> None:
    answer = check(front_editor, dry_run="1")
    assert "No problem found" in found(answer)
    assert "No question was asked." in found(answer)
    assert (questions(openai), alice.calls(), bubbles(answer)) == ([], [], [])


def test_a_problem_comes_first_and_links_to_the_page_that_fixes_it(
    front_editor: ConsoleUser, alice: TestOrganization
) -> None:
    alice.switch_key(on=False)
    answer = check(front_editor)
    assert re.search(r"Contacts get no answers yet. The OpenAI key ending in \S+ is switched off", found(answer))
    assert "OpenAI key · Problem" in found(answer)
    assert "Test call · Skipped" in found(answer)
    assert re.search(
        r'class="remedy">Switch it on\.[^<]*<a [^>]*href="/console/organizations/alice/openai"', answer.text
    )


def test_an_error_of_the_question_links_to_the_page_that_fixes_it(
    front_editor: ConsoleUser, openai: OpenAIStandIn
) -> None:
    openai.always(behaviours.out_of_credit())
    answer = check(front_editor)
    assert "has no credit left" in found(answer)
    assert 'href="/console/organizations/alice/openai"' in answer.text.partition('id="check-up-results"')[2]
    assert QUESTION in bubbles(answer)


def test_an_answer_inside_the_own_network_only_is_a_warning(front_editor: ConsoleUser) -> None:
    asked, not_asked = check(front_editor), check(front_editor, dry_run="1")
    for answer, headline in ((asked, WELL), (not_asked, "No problem found")):
        assert f"{headline} inside this server's own network" in found(answer)
        assert "Glific cannot reach this server until it has a public address." in found(answer)
        assert 'class="alert alert-warning" role="status"' in answer.text.partition('id="check-up-results"')[2]


def test_warnings_are_named_in_the_summary(front_editor: ConsoleUser, openai: OpenAIStandIn) -> None:
    assert "Check this before contacts use the flow" not in found(check(front_editor, dry_run="1"))
    openai.for_models(behaviours.missing_scopes())
    assert "Check this before contacts use the flow: OpenAI key" in found(check(front_editor, dry_run="1"))


def test_a_problem_with_later_answers_does_not_hide_that_quick_answers_work(
    front_editor: ConsoleUser, alice: TestOrganization, glific: GlificStandIn
) -> None:
    alice.connect(glific)
    glific.accounts[PHONE] = "another password since"
    asked, not_asked = check(front_editor), check(front_editor, dry_run="1")
    assert f"{WELL} within 5 seconds, but later answers do not arrive yet. " in found(asked)
    assert "No problem found for answers within 5 seconds, but later" in found(not_asked)
    assert "Glific connection · Problem" in found(asked)


def test_a_second_question_must_wait_30_seconds_but_a_dry_run_need_not(
    front_editor: ConsoleUser, openai: OpenAIStandIn
) -> None:
    check(front_editor)
    for part in (False, True):
        answer = found(check(front_editor, part=part))
        assert re.search(r"A test question was asked a moment ago, .* Try again in \d\d seconds", answer)
        assert "Organization" not in answer
    assert questions(openai).count(QUESTION) == 1
    assert "No question was asked." in found(check(front_editor, dry_run="1"))


def test_an_organization_can_run_one_test_at_a_time(front_editor: ConsoleUser, openai: OpenAIStandIn) -> None:
    openai.always(behaviours.respond_after(0.5))
    with ThreadPoolExecutor(4) as threads:
        token = {"csrf_token": front_editor.token()}
        cookies = dict(front_editor.client.cookies)
        url = front_editor.server.url + CHECK
        pressed = [threads.submit(httpx2.post, url, data=token, cookies=cookies, timeout=20) for _ in range(4)]
    answers = [found(each.result()) for each in pressed]
    assert sum(WELL in answer for answer in answers) == 1
    assert sum("is already running" in answer for answer in answers) == 3
    assert questions(openai).count(QUESTION) == 1


def test_an_htmx_request_gets_only_a_part_of_the_page(front_editor: ConsoleUser) -> None:
    answer = check(front_editor, part=True, dry_run="1")
    assert "<html" not in answer.text
    assert "No problem found" in found(answer)


def test_the_result_is_shown_in_hindi(front_editor: ConsoleUser) -> None:
    front_editor.client.headers["Accept-Language"] = "hi"
    answer = check(front_editor)
    part = found(answer).partition("checkup")[0]
    assert re.findall(r"[A-Za-z]{4,} [a-z]{3,} [a-z]{2,}", part) == []


def test_a_viewer_cannot_run_the_test(viewer: ConsoleUser, server: RunningServer, openai: OpenAIStandIn) -> None:
    assert "only editors and owners can run it" in viewer.get(CHECK).text
    assert check(viewer).status_code == 403
    assert openai.requests == []
