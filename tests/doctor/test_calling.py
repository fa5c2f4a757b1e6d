"""The doctor's own call: real, shown, and without a trace that opens anything."""

import re
from datetime import timedelta

import pytest

from glific_gpt.clock import now
from glific_gpt.database import transaction
from glific_gpt.doctor import Verdict
from glific_gpt.doctor.temporary_token import LABEL
from glific_gpt.doctor.test_call import QUESTION
from glific_gpt.organizations import store, tokens
from tests.audit.reading import lines
from tests.conftest import OpenHouse
from tests.doctor.conftest import Doctor, OpenDoctor
from tests.flows.simulator.webhook_stand_in import WebhookStandIn
from tests.support import openai_behaviours as behaviours
from tests.support.house import House, Ngo
from tests.support.openai_stand_in import OpenAIStandIn

PHRASE = "a phrase of alice and glific"


def labels(house: House) -> list[str]:
    with house.app.app_context(), transaction() as session:
        return [token.label for token in tokens.list_webhook_tokens(session, store.find(session, "alice"))]


def test_it_asks_a_question_and_shows_the_conversation(
    doctor: Doctor, house: House, alice: Ngo, openai: OpenAIStandIn
) -> None:
    openai.always(behaviours.answer("Two and two is **four**."))
    found = doctor.check("call")
    assert (found.verdict, found.remedy) == (Verdict.OK, "")
    assert re.fullmatch(r"The answer came after \d\.\d seconds; Glific waits 5\.", found.sentence)
    for said in (QUESTION, "Two and two is *four*."):
        assert said in found.conversation
    assert [request.question for request in openai.requests] == [QUESTION]
    assert [call["status"] for call in alice.calls()] == ["ok"]


def test_the_token_that_it_made_is_revoked_whatever_came_of_it(
    doctor: Doctor, house: House, openai: OpenAIStandIn
) -> None:
    openai.will(behaviours.answer("Four."), behaviours.out_of_credit())
    assert [doctor.check("call").verdict for _ in range(2)] == [Verdict.OK, Verdict.PROBLEM]
    assert labels(house) == ["flow"]
    told = [line.action for line in lines(house, "alice") if line.detail.get("label") == LABEL]
    assert told == ["token_created", "token_revoked"] * 2


def test_a_call_that_fails_says_what_the_server_said(doctor: Doctor, openai: OpenAIStandIn) -> None:
    openai.always(behaviours.out_of_credit())
    found = doctor.check("call")
    assert (found.verdict, found.error_code) == (Verdict.PROBLEM, "insufficient_quota")
    assert found.sentence.startswith("OpenAI says that this key's account has no credit left")
    assert found.command == "flask calls list alice --limit 1"
    assert QUESTION in found.conversation


def test_a_sentence_that_glific_cuts_off_is_known_by_its_code(doctor: Doctor, alice: Ngo) -> None:
    alice.change(monthly_budget_usd=0, fallback_message="क" * 1000)
    found = doctor.check("call")
    assert (found.error_code, found.sentence) == (
        "budget_exceeded",
        "The organization's budget for this month is used up.",
    )
    alice.change(monthly_budget_usd=None, allowed_models=["gpt-4o"], default_model="ft:gpt-4o:" + "x" * 150)
    cut = doctor.check("call")
    assert cut.error_code == "model_not_allowed"
    assert cut.sentence.startswith("This organization's list of models does not allow ft:gpt-4o:xxx")
    alice.change(default_model="ft:gpt-4o:" + "x" * 190)
    assert doctor.check("call").error_code == "model_not_allowed"


def test_the_signature_lets_it_in_where_that_is_required(doctor: Doctor, house: House, alice: Ngo) -> None:
    alice.set_phrase(PHRASE)
    alice.change(require_signature=True, glific_organization_id=17)
    assert doctor.check("call").verdict is Verdict.OK
    assert [line.action for line in lines(house, "alice")].count("token_created") == 1


def test_an_address_of_another_server_is_noticed_by_its_own_token(
    doctor_with: OpenDoctor, other_house: House, openai: OpenAIStandIn
) -> None:
    found = doctor_with(public_url=other_house.url).check("call")
    assert found.verdict is Verdict.PROBLEM
    assert found.sentence.startswith(f"The server at {other_house.url}/webhooks/alice/parse_via_chat_gpt does not know")
    assert openai.requests == []


def test_a_limit_for_each_contact_does_not_count_one_examination_after_another(doctor: Doctor, alice: Ngo) -> None:
    alice.change(contact_daily_limit=1)
    assert [doctor.check("call").verdict for _ in range(2)] == [Verdict.OK, Verdict.OK]


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (200, b'{"hello": 1}', "Something else than this server answered"),
        (200, b'{"status": "ok", "parsed_msg": "4", "call_id": "call_00"}', "Something else than this server answered"),
        (200, b"<html>Welcome</html>", "Something before this server answered"),
        (204, b"", "Something before this server answered"),
        (308, b"", "was redirected (status 308)"),
        (401, b"<html>Who are you?</html>", "does not know the organization's own token"),
        (403, b"<html>Just a moment</html>", "Something before this server answered"),
        (413, b"", "Something before this server answered"),
        (502, b'{"error": "Bad Gateway"}', "Something before this server answered"),
    ],
)
def test_whoever_answers_in_this_servers_place_is_told_from_it(
    doctor_with: OpenDoctor, status: int, body: bytes, said: str
) -> None:
    with WebhookStandIn() as stranger:
        stranger.always(lambda exchange: exchange.send(status, body))
        found = doctor_with(public_url=f"http://127.0.0.1:{stranger.port}").check("call")
    assert (found.verdict, said in found.sentence) == (Verdict.PROBLEM, True)
    assert QUESTION in found.conversation
    assert "within the 5 seconds" not in found.sentence


def test_where_no_answer_comes_at_all_the_time_is_named(doctor_with: OpenDoctor, openai: OpenAIStandIn) -> None:
    openai.close()
    found = doctor_with(public_url=f"http://127.0.0.1:{openai.port}").check("call")
    assert found.sentence.startswith("No whole answer came")


def test_an_answer_that_takes_too_long_could_come_later(
    doctor_with: OpenDoctor, open_a_house: OpenHouse, openai: OpenAIStandIn
) -> None:
    openai.always(behaviours.slow(0.6))
    found = doctor_with(public_url=open_a_house(deadline_seconds=0.2).url).check("call")
    assert (found.error_code, found.advice) == (
        "deadline_exceeded",
        "Use a faster model, or let answers come later (auto).",
    )


def test_a_token_that_a_killed_check_up_left_is_revoked_by_the_next(doctor: Doctor, house: House) -> None:
    with house.app.app_context(), transaction() as session:
        row = store.find(session, "alice")
        left, _ = tokens.create_webhook_token(session, row, LABEL)
        left.created_at = now() - timedelta(minutes=10)
        tokens.create_webhook_token(session, row, LABEL)
    assert doctor.check("call").verdict is Verdict.OK
    assert labels(house) == ["flow", LABEL], "one that was just made may be another check-up's"
