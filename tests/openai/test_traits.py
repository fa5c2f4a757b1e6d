"""Model traits: derived from the ids of known and of future models."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.shared import ChatModel, ResponsesModel

from glific_gpt.openai.traits import (
    accepts_pictures,
    accepts_temperature,
    base_model,
    is_responses_only,
    max_picture_tokens,
    searches_files,
)

CHAT = set(get_args(ChatModel))
RESPONSES = {name for member in get_args(ResponsesModel) for name in get_args(member)} - CHAT
# The SDK lists them under ChatModel, but Chat Completions refuses them.
MISLISTED = {"gpt-5.1-codex", "gpt-5.2-pro", "gpt-5.2-pro-2025-12-11", "codex-mini-latest"}


@pytest.mark.parametrize(
    ("model_id", "base"),
    [
        (" GPT-4o\n", "gpt-4o"),
        ("ft:gpt-4o-mini-2024-07-18:org:suffix:abc", "gpt-4o-mini-2024-07-18"),
        ("FT: tts-1 :org", "tts-1"),
        ("ft:ft:o3:org", "o3"),
        ("davinci:ft-org-2022-12-01-00-00-00", "davinci"),
        ("ada:2020-05-03", "ada:2020-05-03"),
        ("ft::whisper-1", "ft::whisper-1"),
        (":ft-org", ":ft-org"),
        ("ft:", "ft:"),
        ("", ""),
    ],
)
def test_it_finds_the_base_of_a_fine_tune(model_id: str, base: str) -> None:
    assert base_model(model_id) == base


@given(st.text())
def test_any_text_has_traits(text: str) -> None:
    assert isinstance(base_model(text), str)
    assert is_responses_only(text) in {True, False}
    assert accepts_temperature(text) in {True, False}


def test_a_model_that_the_sdk_lists_for_responses_alone_is_responses_only() -> None:
    assert "o1-pro" in RESPONSES
    assert {name for name in RESPONSES if not is_responses_only(name)} == set()


def test_a_model_that_the_sdk_lists_for_chat_is_not_responses_only() -> None:
    assert {name for name in CHAT if is_responses_only(name)} == MISLISTED


def test_future_models_of_the_responses_api_are_recognized() -> None:
    responses_only = ["gpt-5.4-pro", "gpt-7-pro-2028-01-01", "gpt-8-codex-mini", "o9-deep-research", "ft:o9-pro:org::a"]
    assert [name for name in responses_only if not is_responses_only(name)] == []
    served_by_chat = ["gpt-7", "o9", "gpt-7-professional", "gpt-7-search-api", "unheard-of"]
    assert [name for name in served_by_chat if is_responses_only(name)] == []


def test_a_model_without_reasoning_accepts_a_temperature() -> None:
    accepting = [
        *(
            "gpt-4",
            "gpt-4-turbo",
            "gpt-4-0125-preview",
            "gpt-4-vision-preview",
            "gpt-4.1-nano",
            "gpt-4.5-preview",
        ),
        *("gpt-4o", "GPT-4o-mini", "gpt-3.5-turbo-0125", "gpt-35-turbo", "chatgpt-4o-latest", "gpt-oss-120b"),
        *("gpt-5-chat-latest", "gpt-5.3-chat-latest", "chat-latest", "ft:gpt-4.1-mini-2025-04-14:org::o3"),
        *("unheard-of-1", "davinci-002"),
    ]
    assert [name for name in accepting if not accepts_temperature(name)] == []


def test_a_reasoning_or_search_model_accepts_no_temperature() -> None:
    refusing = [
        *(
            "o1",
            "o1-mini",
            "o3",
            "O3-pro",
            "o4-mini",
            "o9-mini",
            "gpt-5",
            "gpt-5-mini",
            "gpt-5.2-pro",
            "gpt-6-sol",
        ),
        *(
            "gpt-6.2-astra-law",
            "gpt-12",
            "gpt-40",
            "gpt-5-codex",
            "codex-mini-latest",
            "computer-use-preview",
        ),
        *("gpt-4o-search-preview", "gpt-4o-mini-search-preview-2025-03-11", "gpt-5-search-api"),
        *("o3-deep-research", "gpt-daybreak-red-latest", "ft:o4-mini-2025-04-16:org::gpt-4o"),
    ]
    assert [name for name in refusing if accepts_temperature(name)] == []


def test_models_before_tools_and_chat_variants_search_no_files() -> None:
    older = ("gpt-3.5-turbo", "gpt-3.5-turbo-0125", "gpt-4", "gpt-4-0613", "gpt-4-32k", "o1-mini")
    for model_id in (
        *older,
        "gpt-5-chat-latest",
        "chatgpt-4o-latest",
        "gpt-4o-search-preview",
        "ft:gpt-3.5-turbo:a::b",
    ):
        assert not searches_files(model_id), model_id
    for model_id in ("gpt-4o", "gpt-4o-mini", "gpt-4.1", "gpt-5", "gpt-5-mini", "o3", "o4-mini", "gpt-6-sol", "new"):
        assert searches_files(model_id), model_id


def test_models_of_text_alone_read_no_pictures() -> None:
    text_alone = ["gpt-3.5-turbo", "gpt-3.5-turbo-0125", "gpt-35-turbo", "gpt-4", "gpt-4-0613", "gpt-4-32k-0314"]
    text_alone += ["gpt-4-1106-preview", "gpt-4-0125-preview", "gpt-4-turbo-preview", "o1-mini-2024-09-12"]
    text_alone += ["o1-preview", "o3-mini", "o3-mini-2025-01-31", "gpt-oss-120b", "ft:gpt-3.5-turbo-0125:ngo::1"]
    assert [name for name in text_alone if accepts_pictures(name)] == []
    reading = ["gpt-4-turbo", "gpt-4-turbo-2024-04-09", "gpt-4-1106-vision-preview", "gpt-4-vision-preview", "gpt-4o"]
    reading += ["gpt-4o-mini", "gpt-4.1", "gpt-4.5-preview", "o1", "o1-pro", "o3", "o4-mini", "gpt-5", "gpt-6-astra"]
    reading += ["chatgpt-4o-latest", "gpt-5-codex", "ft:gpt-4o-2024-08-06:ngo::1", "unheard-of"]
    assert [name for name in reading if not accepts_pictures(name)] == []


@pytest.mark.parametrize(
    ("model_id", "most"),
    # The largest picture in high detail, by the tables of https://developers.openai.com/api/docs/guides/images-vision.
    [
        ("gpt-4o", 1445),
        ("gpt-4o-mini", 48_169),
        ("ft:gpt-4o-mini-2024-07-18:ngo::1", 48_169),
        ("o3", 1275),
        ("gpt-4.1-nano", 10_077),
        ("o4-mini", 7046),
        ("gpt-6-astra", 3000),
    ],
)
def test_the_bound_of_a_picture_holds_for_every_model(model_id: str, most: int) -> None:
    assert max_picture_tokens(model_id) >= most
