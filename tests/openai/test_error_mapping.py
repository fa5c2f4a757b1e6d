"""The mapping of OpenAI's error replies to this server's errors."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glific_gpt import errors
from glific_gpt.errors import (
    GlificGptError,
    InsufficientQuota,
    InvalidApiKey,
    InvalidField,
    ModelNotFound,
    RateLimited,
    UpstreamError,
)
from glific_gpt.openai import error_mapping
from glific_gpt.openai.refusals import ApiRefusal

MISSING_SCOPES = (
    "You have insufficient permissions for this operation. Missing scopes: model.request. Check that you have the "
    "correct role in your organization (Reader, Writer, Owner) and project (Member, Owner)."
)


def mapped_error(status: int, retry_after: str = "", **error: str) -> GlificGptError:
    """Return this server's error for a reply of OpenAI."""
    headers = {"retry-after": retry_after} if retry_after else {}
    return error_mapping.error_for_refusal(ApiRefusal.from_error(status, error, headers), "gpt-4o")


@pytest.mark.parametrize("message", ["Invalid URL (POST /chat/completions)", "Not Found", ""])
def test_a_404_without_a_model_is_a_wrong_base_url(message: str) -> None:
    error = mapped_error(404, message=message)
    assert isinstance(error, UpstreamError)
    assert "address" in str(error)


@pytest.mark.parametrize(
    "reply", [{"code": "model_not_found"}, {"message": "The model `gpt-4o` does not exist"}], ids=["code", "words"]
)
def test_a_404_about_a_model_names_it(reply: dict[str, str]) -> None:
    error = mapped_error(404, **reply)
    assert isinstance(error, ModelNotFound)
    assert "gpt-4o" in str(error)


def test_an_error_is_not_recognized_by_text_that_a_caller_chose() -> None:
    named_by_caller = "The model `this is not a chat model and thus not supported in the v1/chat/completions endpoint.`"
    assert isinstance(mapped_error(404, message=f"{named_by_caller} does not exist"), ModelNotFound)
    assert str(mapped_error(401, message="Incorrect API key provided: sk-scope****.")) == str(InvalidApiKey())
    assert "permission" in str(mapped_error(401, message=MISSING_SCOPES))


def test_an_unsupported_country_is_not_an_error_of_the_key() -> None:
    error = mapped_error(403, code="unsupported_country_region_territory")
    assert isinstance(error, UpstreamError)
    assert "country" in str(error)
    assert isinstance(mapped_error(403, code="something_else"), InvalidApiKey)


@pytest.mark.parametrize(
    ("retry_after", "seconds"),
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
def test_retry_after_is_between_a_second_and_a_day(retry_after: str, seconds: int) -> None:
    error = mapped_error(429, retry_after)
    assert isinstance(error, RateLimited)
    assert error.retry_after == seconds


LONG = (
    "your organization must be verified " * 40,
    "a" * 2000,
    "ip " * 600,
    "project " * 250,
    "limit 1, used 1, " * 120,
)


@pytest.mark.parametrize("status", [200, 400, 401, 403, 404, 413, 418, 429, 500])
def test_any_message_is_read_in_a_moment(status: int) -> None:
    started = time.process_time()
    for message in LONG:
        assert isinstance(mapped_error(status, message=message), GlificGptError)
    assert time.process_time() - started < 0.5


@pytest.mark.parametrize("status", [402, 429])
@pytest.mark.parametrize("name", ["code", "type"])
@pytest.mark.parametrize("value", ["insufficient_funds", "insufficient_balance", "INSUFFICIENT_FUNDS"])
def test_missing_funds_are_missing_credit(status: int, name: str, value: str) -> None:
    assert isinstance(mapped_error(status, **{name: value}), InsufficientQuota)


def parsed_error(status: int, body: object) -> GlificGptError:
    """Return this server's error for a reply with this JSON."""
    return error_mapping.error_for_refusal(ApiRefusal.parse(status, [], json.dumps(body).encode()), "gpt-4o")


@pytest.mark.parametrize("status", [400, 413, 422])
def test_an_error_with_a_message_only_is_an_error_of_the_api(status: int) -> None:
    for body in ({"error": "bad thing"}, {"error": "bad thing", "code": "bad"}):
        error = parsed_error(status, body)
        assert isinstance(error, UpstreamError)
        assert "Check the fields of the webhook node" in str(error)
    assert isinstance(parsed_error(status, {"error": "The model `x` does not exist"}), ModelNotFound)
    assert isinstance(parsed_error(status, {"error": "bad", "code": "context_length_exceeded"}), InvalidField)
    assert isinstance(parsed_error(404, {"error": "model 'x' not found"}), ModelNotFound)


@pytest.mark.parametrize("status", [401, 403, 407])
def test_a_message_alone_does_not_blame_the_key(status: int) -> None:
    error = parsed_error(status, {"error": "Unauthorized"})
    assert str(error) == str(UpstreamError(errors.MSG_PROXY_REFUSED))


@pytest.mark.parametrize("value", ["", " ", None, 5, ["bad"]])
def test_an_empty_error_is_not_from_the_api(value: object) -> None:
    assert str(parsed_error(400, {"error": value})) == str(UpstreamError(errors.MSG_PROXY_REFUSED))


@given(st.binary(max_size=200) | st.text().map(str.encode), st.integers(200, 599))
def test_any_body_is_an_error(body: bytes, status: int) -> None:
    error = error_mapping.error_for_refusal(ApiRefusal.parse(status, [(b"Retry-After", body)], body), "gpt-4o")
    assert str(error).endswith(".")


@given(
    st.fixed_dictionaries(
        dict.fromkeys(("code", "type", "param", "message"), st.none() | st.text() | st.integers() | st.lists(st.text()))
    ),
    st.sampled_from([200, 400, 401, 403, 404, 429, 500]),
)
def test_any_fields_are_an_error(fields: dict[str, object], status: int) -> None:
    error = error_mapping.error_for_refusal(ApiRefusal.from_error(status, fields), "gpt-4o")
    assert str(error).endswith(".")


def test_a_sentence_about_the_account_is_not_read_in_text_that_a_caller_chose() -> None:
    for sentence in (
        "your account has been deactivated",
        "your ip is not authorized",
        "project x is archived",
        "make your request to eu.api.openai.com",
        "you exceeded your current quota",
    ):
        message = f"Invalid schema for response_format 'x': {sentence}"
        assert isinstance(mapped_error(400, message=message, param="response_format"), InvalidField)


@pytest.mark.parametrize(
    ("status", "reply"),
    [
        (404, {"message": "Vector store with id ['vs_1'] not found.", "param": "tools"}),
        (400, {"message": "Vector store with id ['vs_1'] not found."}),
        (404, {"message": "No vector store found with id 'vs_1'."}),
        (400, {"message": "Vector store 'vs_1' has expired."}),
        (
            400,
            {
                "message": "Invalid 'tools[0].vector_store_ids[0]': 'x'. Expected an ID that begins with 'vs_'.",
                "param": "tools[0].vector_store_ids[0]",
                "code": "invalid_value",
            },
        ),
    ],
)
def test_a_missing_vector_store_is_an_error_of_its_field(status: int, reply: dict[str, str]) -> None:
    error = mapped_error(status, **reply)
    assert isinstance(error, InvalidField)
    assert str(error).startswith("vector_store_id: ")
    assert "vs_1" not in str(error)


def test_a_model_without_file_search_is_not_supported() -> None:
    error = mapped_error(400, message="Hosted tool 'file_search' is not supported with gpt-4o.", param="tools")
    assert isinstance(error, errors.ModelNotSupported)
    assert "documents" in str(error)


@pytest.mark.parametrize("word", ["org_", "user_", "project_", "model_"])
def test_a_long_code_is_read_in_part(word: str) -> None:
    """Its patterns take quadratic time: 0.2 seconds of the event loop for 2,000 characters."""
    refusal = ApiRefusal.parse(400, [], json.dumps({"error": {"code": word * 500, "type": word * 500}}).encode())
    started = time.thread_time()
    for _ in range(10):
        assert not refusal.is_temporary
        error_mapping.error_for_refusal(refusal, "gpt-4o")
    assert time.thread_time() - started < 0.1


def test_an_error_in_utf_16_is_no_error_of_the_api() -> None:
    """Python's decoder would recognize it, but its values were not counted."""
    for encoding, is_from_api in (("utf-8", True), ("utf-8-sig", True), ("utf-16", False), ("utf-32", False)):
        body = json.dumps({"error": {"code": "server_error"}}).encode(encoding)
        assert ApiRefusal.parse(500, [], body).is_from_api is is_from_api
