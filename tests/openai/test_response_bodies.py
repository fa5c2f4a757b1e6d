"""OpenAI's replies that are unreadable, refused or failed, although their status is 200."""

import json
from typing import Any

import pytest

from glific_gpt.errors import BadUpstreamReply, ModelRefused
from glific_gpt.openai.chat import Tokens, Usage
from glific_gpt.openai.refusals import RequestRefused
from glific_gpt.openai.request_bodies import CHAT_PATH, RESPONSES_PATH
from glific_gpt.openai.response_bodies import parse_answer, parse_model_ids

CHAT = {"model": "gpt-4o", "choices": [{"message": {"content": "Drink ORS."}}]}
RESPONSES = {
    "model": "gpt-5-pro",
    "output": [{"type": "message", "content": [{"type": "output_text", "text": "Drink ORS."}]}],
}
BODIES = pytest.mark.parametrize(("path", "body"), [(CHAT_PATH, CHAT), (RESPONSES_PATH, RESPONSES)])


def read_usage(path: str, body: dict[str, Any]) -> Usage:
    usage = Usage()
    parse_answer(path, json.dumps(body | {"model": "gpt-4o"}).encode(), "gpt-4o", usage)
    return usage


def parse(path: str, body: dict[str, Any]) -> str:
    return parse_answer(path, json.dumps(body).encode(), "gpt-4o", Usage()).text


def body_with(path: str, content: Any) -> dict[str, Any]:
    """Return a reply whose only message has this content."""
    message = {"type": "message", "content": content}
    return {"choices": [{"message": message}]} if path == CHAT_PATH else {"output": [message]}


@BODIES
@pytest.mark.parametrize("model", ["gpt\x00", "a" * 201])
def test_a_model_id_that_no_column_can_hold_is_a_bad_reply(path: str, body: dict[str, Any], model: str) -> None:
    assert parse(path, body) == "Drink ORS."
    with pytest.raises(BadUpstreamReply):
        parse(path, body | {"model": model})
    with pytest.raises(BadUpstreamReply):
        parse_model_ids(json.dumps({"data": [{"id": model}]}).encode())


@BODIES
@pytest.mark.parametrize("model", ["gpt-4o\n", "gpt 4o", "<b>gpt</b>", "gpt\u202e", "गpt", ""])
def test_a_value_that_is_no_model_id_is_replaced_by_the_requested_one(
    path: str, body: dict[str, Any], model: str
) -> None:
    usage = Usage()
    content = json.dumps(body | {"model": model, "usage": {}}).encode()
    answer = parse_answer(path, content, "gpt-5-pro", usage)
    assert (answer.text, answer.model, usage.model) == ("Drink ORS.", "gpt-5-pro", "gpt-5-pro")
    assert parse_model_ids(json.dumps({"data": [{"id": model}, {"id": "ft:gpt-4o:ngo::1"}]}).encode()) == [
        "ft:gpt-4o:ngo::1"
    ]


@BODIES
@pytest.mark.parametrize("count", [-1, 2**31, None, "7", 1.5, True])
def test_a_number_of_tokens_that_no_column_can_hold_is_unknown(path: str, body: dict[str, Any], count: Any) -> None:
    names = ("prompt_tokens", "completion_tokens") if path == CHAT_PATH else ("input_tokens", "output_tokens")
    for name in names:
        known = dict.fromkeys(names, 2**31 - 1)
        assert read_usage(path, body | {"usage": known}) == Usage(Tokens(2**31 - 1, 2**31 - 1), model="gpt-4o")
        usage = read_usage(path, body | {"usage": known | {name: count}})
        assert usage.is_incomplete
        assert max(usage.tokens) == 2**31 - 1


@BODIES
def test_a_missing_number_is_computed_from_the_total(path: str, body: dict[str, Any]) -> None:
    names = ("prompt_tokens", "completion_tokens") if path == CHAT_PATH else ("input_tokens", "output_tokens")
    for name in names:
        counts = {names[0]: 10, names[1]: 5, "total_tokens": 15} | {name: None}
        assert read_usage(path, body | {"usage": counts}) == Usage(Tokens(10, 5), model="gpt-4o")


@BODIES
def test_cached_input_is_counted_apart(path: str, body: dict[str, Any]) -> None:
    kind = ("prompt", "completion") if path == CHAT_PATH else ("input", "output")
    counts = {
        f"{kind[0]}_tokens": 1000,
        f"{kind[0]}_tokens_details": {"cached_tokens": 800, "cache_write_tokens": 150},
        f"{kind[1]}_tokens": 50,
        f"{kind[1]}_tokens_details": {"reasoning_tokens": 40},
        "total_tokens": 1050,
    }
    assert read_usage(path, body | {"usage": counts}).tokens == Tokens(1000, 50, 800, 150)
    # More than the input can only be a mistake, which must not make the price negative.
    wrong = counts | {f"{kind[0]}_tokens_details": {"cached_tokens": 5000, "cache_write_tokens": 5000}}
    assert read_usage(path, body | {"usage": wrong}).tokens == Tokens(1000, 50, 1000, 0)
    # Servers that imitate the API may count the reasoning in the total alone.
    apart = counts | {"total_tokens": 1090}
    assert read_usage(path, body | {"usage": apart}).tokens == Tokens(1000, 90, 800, 150)


@pytest.mark.parametrize(
    "content",
    [
        {"type": "text", "text": "Drink ORS."},
        {"text": "Drink ORS."},
        {"type": "text", "text": {"value": "Drink ORS.", "annotations": []}},
        [{"type": "text", "text": {"value": "Drink "}}, {"type": "output_text", "text": "ORS."}],
        [{"type": "text", "text": {"value": "Drink ORS."}}, {"type": "text", "text": {"value": None}}],
    ],
)
@pytest.mark.parametrize("path", [CHAT_PATH, RESPONSES_PATH])
def test_a_content_without_a_list_or_with_texts_in_objects_is_read(path: str, content: Any) -> None:
    assert parse(path, body_with(path, content)) == "Drink ORS."


@pytest.mark.parametrize("content", ["Drink ORS.", ["Drink ", "ORS."], [None, "Drink ", {"text": "ORS."}]])
def test_a_content_of_texts_is_read(content: Any) -> None:
    assert parse(CHAT_PATH, body_with(CHAT_PATH, content)) == "Drink ORS."


@pytest.mark.parametrize("content", [42, {}, {"answer": "x"}, {"text": 5}, [5], [{"text": {"words": "x"}}]])
@pytest.mark.parametrize("path", [CHAT_PATH, RESPONSES_PATH])
def test_a_content_of_another_shape_is_a_bad_reply(path: str, content: Any) -> None:
    with pytest.raises(BadUpstreamReply):
        parse(path, body_with(path, content))


def test_the_tokens_of_a_failed_response_count() -> None:
    usage, body = Usage(), RESPONSES | {"status": "failed", "usage": {"input_tokens": 3}}
    with pytest.raises(RequestRefused) as caught:
        parse_answer(RESPONSES_PATH, json.dumps(body).encode(), "gpt-5-pro", usage)
    assert usage.input_tokens == 3
    assert caught.value.is_paid


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (CHAT_PATH, {"choices": [{"message": {"content": "Drink"}, "finish_reason": "content_filter"}]}),
        (CHAT_PATH, {"choices": [{"message": {"content": "Drink", "refusal": "I cannot help."}}]}),
        (RESPONSES_PATH, RESPONSES | {"incomplete_details": {"reason": "content_filter"}}),
        (RESPONSES_PATH, {"output": [{"type": "message", "content": [{"type": "refusal", "refusal": "I cannot."}]}]}),
    ],
)
def test_a_refused_answer_is_not_an_answer_even_if_it_has_text(path: str, body: dict[str, Any]) -> None:
    with pytest.raises(ModelRefused):
        parse(path, body)


@pytest.mark.parametrize("path", [CHAT_PATH, RESPONSES_PATH])
def test_half_a_surrogate_pair_does_not_lose_an_answer(path: str) -> None:
    parts = [{"type": "output_text", "text": "Sow \ud83c now.", "annotations": cited("rules\ud83d.pdf")}]
    assert parse(path, body_with(path, parts)) == "Sow \ud83c now."


@pytest.mark.parametrize("content", [b'{"a": "\\ud83c"', b'"\\ud83c"' + b"[" * 100_000])
def test_half_a_surrogate_pair_in_no_json_is_a_bad_reply(content: bytes) -> None:
    with pytest.raises(BadUpstreamReply):
        parse_answer(CHAT_PATH, content, "gpt-4o", Usage())


def cited(*names: Any) -> list[dict[str, Any]]:
    return [{"type": "file_citation", "index": 4, "file_id": "file-1", "filename": name} for name in names]


def test_the_sources_of_an_answer_are_the_files_that_it_cites() -> None:
    content = [
        {"type": "output_text", "text": "In May. ", "annotations": cited("rules.pdf", "dates.docx", "rules.pdf")},
        {"type": "output_text", "text": "Or June.", "annotations": [*cited("notes.md"), {"type": "url_citation"}]},
    ]
    output = [
        {"type": "file_search_call", "status": "completed", "queries": ["dates"], "results": None},
        {"type": "message", "content": content},
    ]
    usage = Usage()
    answer = parse_answer(RESPONSES_PATH, json.dumps({"model": "gpt-4o", "output": output}).encode(), "gpt-4o", usage)
    assert answer.sources == ("rules.pdf", "dates.docx", "notes.md")
    assert usage.tokens.file_searches == 1


@pytest.mark.parametrize("annotations", [None, "rules.pdf", [None, 4, "x"], cited(None, 4, "", "  ", ["rules.pdf"])])
def test_citations_of_another_shape_are_skipped(annotations: Any) -> None:
    body = body_with(RESPONSES_PATH, [{"type": "output_text", "text": "In May.", "annotations": annotations}])
    answer = parse_answer(RESPONSES_PATH, json.dumps(body).encode(), "gpt-4o", Usage())
    assert (answer.text, answer.sources) == ("In May.", ())
