"""OpenAI's refusals, told apart: whose fault each is, and what to do about it."""

import httpx2
import openai
import pytest

from glific_gpt.errors import GlificGptError, InvalidApiKey, ModelNotFound, RateLimited, UpstreamError
from glific_gpt.openai import failures
from glific_gpt.openai.failures import Refusal


def told(status: int, retry_after: str = "", **error: str) -> GlificGptError:
    """What we say to this reply of OpenAI's."""
    headers = {"retry-after": retry_after} if retry_after else {}
    response = httpx2.Response(status, headers=headers, request=httpx2.Request("POST", "http://127.0.0.1/"))
    return failures.from_status(Refusal(openai.APIStatusError("x", response=response, body=error)), "gpt-4o")


@pytest.mark.parametrize("message", ["Invalid URL (POST /chat/completions)", "Not Found", ""])
def test_a_404_that_is_not_about_a_model_is_about_the_address(message: str) -> None:
    error = told(404, message=message)
    assert isinstance(error, UpstreamError)
    assert "address" in str(error)


@pytest.mark.parametrize(
    "said", [{"code": "model_not_found"}, {"message": "The model `gpt-4o` does not exist"}], ids=["code", "words"]
)
def test_a_404_about_a_model_names_it(said: dict[str, str]) -> None:
    error = told(404, **said)
    assert isinstance(error, ModelNotFound)
    assert "gpt-4o" in str(error)


def test_a_country_that_openai_does_not_serve_is_not_the_keys_fault() -> None:
    error = told(403, code="unsupported_country_region_territory")
    assert isinstance(error, UpstreamError)
    assert "country" in str(error)
    assert isinstance(told(403, code="something_else"), InvalidApiKey)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("86400", 86_400),
        ("86401", 86_400),
        ("1e300", 86_400),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 86_400),
        ("Mon, 01 Jan 99999999999999999999 00:00:00 GMT", 1),
        ("Mon, 01 Jan 2001 00:00:00 GMT", 1),
        ("Mon, 01 Jan 2001 00:00:00 -0000", 1),
        ("Mon, 01 Jan 2001 00:00:00 +9999", 1),
        ("1e400", 1),
        ("inf", 1),
        ("-5", 1),
    ],
)
def test_a_rate_limit_is_over_within_a_day(written: str, seconds: int) -> None:
    error = told(429, written)
    assert isinstance(error, RateLimited)
    assert error.retry_after == seconds
