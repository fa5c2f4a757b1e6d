"""The test call: a real question, its transcript, and a token that is revoked afterwards."""

import re
from datetime import timedelta

import httpx2
import pytest

from glific_gpt.clock import now
from glific_gpt.database import transaction
from glific_gpt.operations.doctor import CheckStatus
from glific_gpt.operations.doctor.temporary_token import LABEL
from glific_gpt.operations.doctor.test_call import QUESTION
from glific_gpt.organizations import store, tokens
from tests.audit.reading import lines
from tests.conftest import StartServer
from tests.flows.simulator.webhook_stand_in import WebhookStandIn
from tests.operations.doctor.conftest import Doctor, OpenDoctor
from tests.support import openai_behaviours as behaviours
from tests.support.openai_exchange import Exchange
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import RunningServer, TestOrganization

PHRASE = "a phrase of alice and glific"


def labels(server: RunningServer) -> list[str]:
    with server.app.app_context(), transaction() as session:
        return [token.label for token in tokens.list_webhook_tokens(session, store.find(session, "alice"))]


def test_it_asks_a_question_and_shows_the_conversation(
    doctor: Doctor, server: RunningServer, alice: TestOrganization, openai: OpenAIStandIn
) -> None:
    openai.always(behaviours.answer("Two and two is **four**."))
    result = doctor.check("call")
    assert (result.status, result.remedy) == (CheckStatus.OK, "")
    assert re.fullmatch(r"The answer came after \d\.\d seconds\. Glific waits 5 seconds\.", result.message_text)
    for text in (QUESTION, "Two and two is *four*."):
        assert text in result.transcript
    assert [request.question for request in openai.requests] == [QUESTION]
    assert [call["status"] for call in alice.calls()] == ["ok"]


def test_the_temporary_token_is_always_revoked(doctor: Doctor, server: RunningServer, openai: OpenAIStandIn) -> None:
    openai.will(behaviours.answer("Four."), behaviours.out_of_credit())
    assert [doctor.check("call").status for _ in range(2)] == [CheckStatus.OK, CheckStatus.PROBLEM]
    assert labels(server) == ["flow"]
    actions = [line.action for line in lines(server, "alice") if line.detail.get("label") == LABEL]
    assert actions == ["token_created", "token_revoked"] * 2


def test_a_failed_call_shows_the_servers_error(doctor: Doctor, openai: OpenAIStandIn) -> None:
    openai.always(behaviours.out_of_credit())
    result = doctor.check("call")
    assert (result.status, result.error_code) == (CheckStatus.PROBLEM, "insufficient_quota")
    assert result.message_text.startswith("OpenAI says that this key's account has no credit left")
    assert result.command == "flask calls list alice --limit 1"
    assert QUESTION in result.transcript


def test_a_cut_off_error_is_recognized_by_its_code(doctor: Doctor, alice: TestOrganization) -> None:
    alice.change(monthly_budget_usd=0, fallback_message="क" * 1000)
    result = doctor.check("call")
    assert (result.error_code, result.message_text) == (
        "budget_exceeded",
        "The organization's budget for this month is used up. Raise the budget, or wait for the next month.",
    )
    alice.change(monthly_budget_usd=None, allowed_models=["gpt-4o"], default_model="ft:gpt-4o:" + "x" * 150)
    cut = doctor.check("call")
    assert cut.error_code == "model_not_allowed"
    assert cut.message_text.startswith("This organization's list of models does not allow ft:gpt-4o:xxx")
    alice.change(default_model="ft:gpt-4o:" + "x" * 190)
    assert doctor.check("call").error_code == "model_not_allowed"


def test_it_uses_the_signature_if_required(doctor: Doctor, server: RunningServer, alice: TestOrganization) -> None:
    alice.set_phrase(PHRASE)
    alice.change(require_signature=True, glific_organization_id=17)
    assert doctor.check("call").status is CheckStatus.OK
    assert [line.action for line in lines(server, "alice")].count("token_created") == 1


def test_another_server_is_recognized_by_its_refusal_of_the_token(
    doctor_with: OpenDoctor, other_server: RunningServer, openai: OpenAIStandIn
) -> None:
    result = doctor_with(public_url=other_server.url).check("call")
    assert result.status is CheckStatus.PROBLEM
    assert result.message_text.startswith(
        f"The server at {other_server.url}/webhooks/alice/parse_via_chat_gpt does not accept"
    )
    assert openai.requests == []


def test_the_limit_for_each_contact_does_not_affect_repeated_checks(doctor: Doctor, alice: TestOrganization) -> None:
    alice.change(contact_daily_limit=1)
    assert [doctor.check("call").status for _ in range(2)] == [CheckStatus.OK, CheckStatus.OK]


@pytest.mark.parametrize(
    ("status", "body", "text"),
    [
        (200, b'{"hello": 1}', "A different server answered"),
        (200, b'{"status": "ok", "parsed_msg": "4", "call_id": "call_00"}', "A different server answered"),
        (200, b"<html>Welcome</html>", "A proxy in front of this server answered"),
        (204, b"", "A proxy in front of this server answered"),
        (308, b"", "was redirected (status 308)"),
        (401, b"<html>Who are you?</html>", "does not accept the organization's own token"),
        (403, b"<html>Just a moment</html>", "A proxy in front of this server answered"),
        (413, b"", "A proxy in front of this server answered"),
        (502, b'{"error": "Bad Gateway"}', "A proxy in front of this server answered"),
    ],
)
def test_replies_of_other_servers_and_proxies_are_recognized(
    doctor_with: OpenDoctor, status: int, body: bytes, text: str
) -> None:
    with WebhookStandIn() as other_server:
        other_server.always(lambda exchange: exchange.send(status, body))
        result = doctor_with(public_url=f"http://127.0.0.1:{other_server.port}").check("call")
    assert (result.status, text in result.message_text) == (CheckStatus.PROBLEM, True)
    assert QUESTION in result.transcript
    assert "within Glific" not in result.message_text


@pytest.mark.parametrize("is_changed", [False, True])
def test_an_answer_that_glific_would_take_for_code_is_a_warning(
    doctor_with: OpenDoctor, server: RunningServer, openai: OpenAIStandIn, is_changed: bool
) -> None:
    """This server puts an invisible space into such an answer. A proxy may remove it."""
    openai.always(behaviours.answer("Ask your Immune System. It knows."))

    def forward(exchange: Exchange) -> None:
        request = exchange.received
        headers = {"Authorization": request.headers["authorization"]}
        answer = httpx2.post(server.url + request.path, json=request.body, headers=headers).json()
        if is_changed:
            answer["parsed_msg"] = answer["parsed_msg"].replace("\u200b", "")
        exchange.send_json(200, answer)

    with WebhookStandIn() as proxy:
        proxy.always(forward)
        result = doctor_with(public_url=f"http://127.0.0.1:{proxy.port}").check("call")
    assert result.status is (CheckStatus.WARNING if is_changed else CheckStatus.OK)
    assert ('has "System."' in result.message_text) is is_changed


def test_a_missing_reply_is_a_problem(doctor_with: OpenDoctor, openai: OpenAIStandIn) -> None:
    openai.close()
    result = doctor_with(public_url=f"http://127.0.0.1:{openai.port}").check("call")
    assert result.message_text.startswith("There was no complete answer")


def test_a_late_answer_suggests_a_faster_model(
    doctor_with: OpenDoctor, start_server: StartServer, openai: OpenAIStandIn
) -> None:
    openai.always(behaviours.respond_after(0.6))
    result = doctor_with(public_url=start_server(deadline_seconds=0.2).url).check("call")
    assert (result.error_code, result.remedy_text) == (
        "deadline_exceeded",
        "Use a faster model, or let answers come later (auto).",
    )


def test_the_token_of_a_killed_check_is_revoked_by_the_next(doctor: Doctor, server: RunningServer) -> None:
    with server.app.app_context(), transaction() as session:
        row = store.find(session, "alice")
        left, _ = tokens.create_webhook_token(session, row, LABEL)
        left.created_at = now() - timedelta(minutes=10)
        tokens.create_webhook_token(session, row, LABEL)
    assert doctor.check("call").status is CheckStatus.OK
    assert labels(server) == ["flow", LABEL], "a new token may belong to another check"


def test_it_works_for_an_organization_with_the_maximum_of_tokens(
    doctor: Doctor, server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "MAX_TOKENS", 1)
    assert doctor.check("call").status is CheckStatus.OK
    assert labels(server) == ["flow"]
