"""What becomes of a call, whatever a function's handler does."""

from collections.abc import Callable
from typing import Any, NoReturn

import httpx2
import pytest

from glific_gpt.functions.contract import Function, FunctionBody
from tests.support.server import TestOrganization
from tests.webhooks.expecting import require_error


def ask(organization: TestOrganization, handle: Callable[..., Any]) -> httpx2.Response:
    """Calls a function that does this, with a model that is there."""
    organization.server.services.functions.add(Function("made_up", FunctionBody, handle), "this test")
    url = organization.url.replace("parse_via_chat_gpt", "made_up")
    return httpx2.post(url, json={}, headers={"Authorization": f"Bearer {organization.token}"}, timeout=20)


def broken(*_given: Any) -> NoReturn:
    raise RuntimeError("sk-proj-in-a-message")


@pytest.mark.parametrize("value", [None, "", " \u200b", {}, []], ids=repr)
def test_nothing_is_an_empty_answer(alice: TestOrganization, value: Any) -> None:
    require_error(ask(alice, lambda *_given: value), "empty_answer")


@pytest.mark.parametrize("handle", [broken, lambda *_given: {1, 2}, lambda *_given: float("nan")])
def test_a_handler_that_breaks_is_one_sentence_and_one_row(alice: TestOrganization, handle: Callable[..., Any]) -> None:
    reply = ask(alice, handle)
    require_error(reply, "upstream_error")
    assert "sk-proj" not in reply.text
    assert [call["error_code"] for call in alice.calls()] == ["upstream_error"]


@pytest.mark.parametrize("value", [0, False, {"rain_mm": None}, [""]], ids=repr)
def test_what_is_something_is_passed_on(alice: TestOrganization, value: Any) -> None:
    assert ask(alice, lambda *_given: value).json()["parsed_msg"] == value
