"""Results and failures of a function's handler."""

from collections.abc import Callable
from typing import Any, NoReturn

import httpx2
import pytest

from glific_gpt.functions.contract import Function, FunctionBody
from tests.support import http
from tests.support.server import TestOrganization
from tests.webhooks.assertions import require_error


def call_function(organization: TestOrganization, handle: Callable[..., Any]) -> httpx2.Response:
    """Register a function with this handler, and call it."""
    organization.server.services.functions.add(Function("example", FunctionBody, handle), "tests")
    url = organization.url.replace("parse_via_chat_gpt", "example")
    return http.post(url, json={}, headers={"Authorization": f"Bearer {organization.token}"}, timeout=20)


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
