"""Results and failures of a function's handler."""

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, NoReturn

import httpx2
import pytest

from glific_gpt.functions.contract import Function, FunctionAnswer, FunctionBody
from tests.support import http
from tests.support.server import TestOrganization
from tests.webhooks.assertions import require_error


def call_function(
    organization: TestOrganization, handle: Callable[..., Any], headers: dict[str, str] | None = None, **options: Any
) -> httpx2.Response:
    """Register a function with this handler, and call it."""
    functions = organization.server.services.functions
    if "example-1" not in functions.names():
        functions.add(Function("example-1", FunctionBody, handle, **options), "tests")
    url = organization.url_of("example-1")
    headers = {"Authorization": f"Bearer {organization.token}"} | (headers or {})
    return http.post(url, json={}, headers=headers, timeout=20)


def raise_error(*_arguments: Any) -> NoReturn:
    raise RuntimeError("sk-proj-in-a-message")


@pytest.mark.parametrize("value", [None, "", " \u200b", {}, []], ids=repr)
def test_an_empty_value_is_an_empty_answer(alice: TestOrganization, value: Any) -> None:
    require_error(call_function(alice, lambda *_arguments: value), "empty_answer")


@pytest.mark.parametrize("handle", [raise_error, lambda *_arguments: {1, 2}, lambda *_arguments: float("nan")])
def test_a_failing_handler_returns_one_error_and_records_one_call(
    alice: TestOrganization, handle: Callable[..., Any]
) -> None:
    reply = call_function(alice, handle)
    require_error(reply, "upstream_error")
    assert "sk-proj" not in reply.text
    assert [call["error_code"] for call in alice.calls()] == ["upstream_error"]


@pytest.mark.parametrize("value", [0, False, {"rain_mm": 0}, [[]]], ids=repr)
def test_a_value_that_is_not_empty_is_returned(alice: TestOrganization, value: Any) -> None:
    assert call_function(alice, lambda *_arguments: value).json()["parsed_msg"] == value


def test_empty_parts_of_a_value_are_replaced(alice: TestOrganization) -> None:
    value = {"rain_mm": None, "texts": ["", "**a**"]}
    assert call_function(alice, lambda *_arguments: value).json()["parsed_msg"] == {
        "rain_mm": "-",
        "texts": ["-", "*a*"],
    }


def test_a_function_adds_keys_to_the_response_and_repeats_the_formatted_answer(alice: TestOrganization) -> None:
    returned = FunctionAnswer("**Sow** now.", {"sources": ["<%= a_b_c %>.pdf", ""], "pages": 3})
    reply = call_function(alice, lambda *_arguments: returned, answer_key="message")
    assert reply.json() == {
        "success": True,
        "status": "ok",
        "parsed_msg": "*Sow* now.",
        "message": "*Sow* now.",
        "sources": ["<\u200b%= a_b_c %>.pdf", "-"],
        "pages": 3,
        "model": "gpt-4o",
        "call_id": reply.json()["call_id"],
    }


def test_a_repeated_call_gets_all_keys_again(alice: TestOrganization) -> None:
    answers = iter([FunctionAnswer("Sow now.", {"sources": ["a.pdf"]})])
    replies = [
        call_function(alice, lambda *_arguments: next(answers), {"Idempotency-Key": "1"}, answer_key="message").json()
        for _ in range(2)
    ]
    assert replies[0] == replies[1]
    assert (replies[0]["message"], replies[0]["sources"]) == ("Sow now.", ["a.pdf"])


def test_an_error_repeats_the_fallback_message(alice: TestOrganization) -> None:
    alice.change(fallback_message="Please wait.")
    body = call_function(alice, raise_error, answer_key="message").json()
    assert (body["parsed_msg"], body["message"]) == ("Please wait.", "Please wait.")


@pytest.mark.parametrize("key", ["parsed_msg", "call_id", "error"])
def test_a_function_cannot_replace_a_key_of_every_response(key: str) -> None:
    with pytest.raises(ValueError, match=key):
        FunctionAnswer("Sow now.", {key: "x"})
    with pytest.raises(ValueError, match=key):
        Function("example", FunctionBody, raise_error, answer_key=key)


@pytest.mark.parametrize(("name", "is_valid"), [("file-search_2", True), ("File", False), ("a b", False), ("", False)])
def test_a_name_has_small_letters_digits_hyphens_and_underscores(name: str, *, is_valid: bool) -> None:
    with nullcontext() if is_valid else pytest.raises(ValueError, match="name"):
        Function(name, FunctionBody, raise_error)
