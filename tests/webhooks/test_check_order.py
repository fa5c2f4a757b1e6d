"""The order of checks: a call with two errors gets the earlier one, and OpenAI is not asked."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from tests.support.openai_behaviours import refuse_key
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import RunningServer, TestOrganization
from tests.webhooks.assertions import get_code, require_error, require_ok

QUESTION = {"question_text": "What is ORS?"}
UNRESOLVED = {"question_text": "@results.question_1"}
SPEECH = {**QUESTION, "gpt_model": "tts-1"}
NOT_ALLOWED = {**QUESTION, "gpt_model": "gpt-4o-mini"}
INACTIVE = {"is_active": False}
NARROW = {"allowed_models": ["gpt-4.1*"]}
NO_BUDGET = {"monthly_budget_usd": Decimal(0)}


@dataclass
class InvalidCall:
    """A call with two errors."""

    code: str
    body: Any = None
    content: bytes | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    key: str = "sk-proj-alice-0123456789"
    key_is_on: bool = True
    query: str = ""


WRONG_TOKEN = {"Authorization": "Bearer wrong"}
INVALID_CALLS = {
    "a wrong token and broken JSON": InvalidCall("unauthorized", content=b"{", headers=WRONG_TOKEN),
    "a wrong token and an empty question": InvalidCall("unauthorized", {"question_text": ""}, headers=WRONG_TOKEN),
    "a wrong token at an inactive organization": InvalidCall(
        "unauthorized", QUESTION, settings=INACTIVE, headers=WRONG_TOKEN
    ),
    "a wrong token and a huge body": InvalidCall("unauthorized", content=b" " * 1_100_000, headers=WRONG_TOKEN),
    "another organization's empty question": InvalidCall(
        "unauthorized", {"question_text": "", "organization_id": 8}, settings={"glific_organization_id": 7}
    ),
    "broken JSON with an empty question": InvalidCall("invalid_json", content=b'{"question_text": "",'),
    "a list with a wrong field": InvalidCall("invalid_json", [{"question_text": "x", "temperature": 9}]),
    "broken JSON at an inactive organization": InvalidCall("invalid_json", content=b"{", settings=INACTIVE),
    "a wrong field beside a variable": InvalidCall("invalid_field", UNRESOLVED | {"temperature": 9}),
    "an empty question beside a variable": InvalidCall("empty_question", {"question_text": "", "prompt": "@results.x"}),
    "a wrong mode at an inactive organization": InvalidCall(
        "invalid_field", QUESTION, settings=INACTIVE, query="?mode=x"
    ),
    "a variable at an inactive organization": InvalidCall("unresolved_variable", UNRESOLVED, settings=INACTIVE),
    "an inactive organization without a key": InvalidCall("organization_inactive", QUESTION, settings=INACTIVE, key=""),
    "an inactive organization's inactive key": InvalidCall(
        "organization_inactive", QUESTION, settings=INACTIVE, key_is_on=False
    ),
    "no key, and speech": InvalidCall("credential_missing", SPEECH, key=""),
    "an inactive key, and speech": InvalidCall("credential_inactive", SPEECH, key_is_on=False),
    "an inactive key, and no budget": InvalidCall("credential_inactive", QUESTION, settings=NO_BUDGET, key_is_on=False),
    "speech that is not allowed": InvalidCall("model_not_text", SPEECH, settings=NARROW),
    "speech where nothing is allowed": InvalidCall("model_not_text", SPEECH, settings={"allowed_models": []}),
    "completion that is not allowed": InvalidCall(
        "model_not_supported", {**QUESTION, "gpt_model": "davinci-002"}, settings=NARROW
    ),
    "speech beyond the budget": InvalidCall("model_not_text", SPEECH, settings=NO_BUDGET),
    "a model that is not allowed, beyond the budget": InvalidCall(
        "model_not_allowed", NOT_ALLOWED, settings={**NARROW, **NO_BUDGET}
    ),
    "beyond the budget with a bad key": InvalidCall("budget_exceeded", QUESTION, settings=NO_BUDGET),
}


def test_it_reports_the_earlier_of_two_errors(server: RunningServer, openai: OpenAIStandIn) -> None:
    openai.always(refuse_key())
    for number, (name, invalid) in enumerate(INVALID_CALLS.items()):
        organization = server.add_organization(f"ngo-{number}", key=invalid.key, **invalid.settings)
        if not invalid.key_is_on:
            organization.switch_key(on=False)
        reply = organization.post(invalid.body, content=invalid.content, headers=invalid.headers, query=invalid.query)
        assert (name, get_code(reply)) == (name, invalid.code)
        require_error(reply, invalid.code)
    assert openai.requests == []


def test_it_checks_the_allowlist_before_the_contact_limit(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    alice.change(contact_daily_limit=1, allowed_models=["gpt-4o"])
    require_ok(alice.ask(contact={"id": 21}))
    openai.reset()

    require_error(alice.ask(contact={"id": 21}, gpt_model="gpt-4o-mini"), "model_not_allowed")
    require_error(alice.ask(contact={"id": 21}), "contact_limit")
    assert openai.requests == []


def test_a_call_that_fails_a_check_costs_nothing(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    alice.change(monthly_budget_usd=Decimal(1), contact_daily_limit=1)
    for body in (UNRESOLVED, SPEECH, {**QUESTION, "temperature": 9}, {"question_text": " "}):
        assert alice.post({**body, "contact": {"id": 21}}).status_code == 422

    assert openai.requests == []
    assert {call["cost_usd"] for call in alice.calls()} == {None}
    require_ok(alice.ask(contact={"id": 21}))
