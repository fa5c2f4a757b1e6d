"""The sandbox, called with OpenAI's own library over a socket."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from openai import AuthenticationError, BadRequestError, NotFoundError, OpenAI

from glific_gpt.local import sandbox
from tests.support import http

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "advice": {"type": "string"},
        "urgent": {"type": "boolean"},
        "litres": {"type": ["number", "null"]},
        "level": {"enum": ["low", "high"]},
        "steps": {"type": "array", "items": {"type": "object", "properties": {"n": {"type": "integer"}}}},
    },
}


@pytest.fixture(scope="module")
def base_url() -> str:
    return sandbox.start()


@pytest.fixture
def client(base_url: str) -> Iterator[OpenAI]:
    with OpenAI(api_key="sk-any", base_url=base_url, max_retries=0, timeout=5) as openai:
        yield openai


def test_its_answer_repeats_the_question(client: OpenAI) -> None:
    chat = client.chat.completions.create(
        model="gpt-4o-mini",
        messages=[{"role": "system", "content": "Be kind."}, {"role": "user", "content": "What is ORS?"}],
    )
    assert chat.choices[0].message.content == (
        '[sandbox] You asked gpt-4o-mini: "What is ORS?". With a real OpenAI key, you get its answer here.'
    )
    assert (chat.model, chat.object, chat.choices[0].finish_reason) == (
        "gpt-4o-mini",
        "chat.completion",
        "stop",
    )
    assert chat.usage
    assert chat.usage.total_tokens == chat.usage.prompt_tokens + chat.usage.completion_tokens > 20


def test_its_answer_about_a_picture_repeats_the_text_alone(client: OpenAI) -> None:
    url = "https://media.example.org/field.jpg?signature=c2VjcmV0"
    response = client.responses.create(
        model="gpt-5-pro",
        input=[
            {
                "role": "user",
                "content": [
                    {"type": "input_text", "text": "What is this?"},
                    {"type": "input_image", "image_url": url, "detail": "high"},
                ],
            }
        ],
    )
    assert response.output_text.startswith('[sandbox] You asked gpt-5-pro: "What is this? (with a picture)".')


def test_it_answers_the_responses_api_too(client: OpenAI) -> None:
    response = client.responses.create(model="gpt-5-pro", input=[{"role": "user", "content": "ଓଆରଏସ କଣ?"}])
    assert response.output_text.startswith('[sandbox] You asked gpt-5-pro: "ଓଆରଏସ କଣ?"')
    assert response.status == "completed"
    assert response.usage
    assert response.usage.total_tokens == response.usage.input_tokens + response.usage.output_tokens > 20


def test_it_accepts_plain_text_as_input(client: OpenAI) -> None:
    assert '"What is ORS?"' in client.responses.create(model="o4-mini", input="What is ORS?").output_text


def test_it_answers_with_json_on_request(client: OpenAI) -> None:
    chat = client.chat.completions.create(
        model="gpt-4o",
        messages=[{"role": "user", "content": "What is ORS?"}],
        response_format={"type": "json_object"},
    )
    answer = json.loads(chat.choices[0].message.content or "")
    assert list(answer) == ["answer"]
    assert answer["answer"].startswith('[sandbox] You asked gpt-4o: "What is ORS?"')


def test_it_follows_a_schema_in_chat_and_in_responses(client: OpenAI) -> None:
    chat = client.chat.completions.create(
        model="gpt-4o",
        messages=[{"role": "user", "content": "What is ORS?"}],
        response_format={"type": "json_schema", "json_schema": {"name": "advice", "schema": SCHEMA}},
    )
    response = client.responses.create(
        model="gpt-4o",
        input="What is ORS?",
        text={"format": {"type": "json_schema", "name": "advice", "schema": SCHEMA}},
    )
    for text in (chat.choices[0].message.content or "", response.output_text):
        filled = json.loads(text)
        assert filled.pop("advice").startswith("[sandbox] ")
        assert filled == {"urgent": True, "litres": 1, "level": "low", "steps": [{"n": 1}]}


def test_it_lists_models_of_every_kind(client: OpenAI) -> None:
    listed = {model.id for model in client.models.list()}
    assert {"gpt-4o", "gpt-5-pro", "whisper-1", "tts-1", "gpt-image-1", "text-embedding-3-small"} <= listed


def test_it_requires_a_key(base_url: str) -> None:
    answer = http.get(f"{base_url}/models")
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "invalid_api_key"


def test_a_blank_key_is_refused_like_at_openai(base_url: str) -> None:
    with (
        OpenAI(api_key="x", base_url=base_url, default_headers={"Authorization": "Basic x"}) as openai,
        pytest.raises(AuthenticationError),
    ):
        openai.models.list()


def test_an_invalid_request_gets_an_error_in_openais_shape(client: OpenAI) -> None:
    with pytest.raises(BadRequestError, match="with a model"):
        client.post("/responses", body={"input": "no model"}, cast_to=object)
    with pytest.raises(NotFoundError) as caught:
        client.batches.list()
    assert caught.value.type == "invalid_request_error"


def test_it_keeps_documents_and_answers_from_them(client: OpenAI) -> None:
    store = client.vector_stores.create(name="Rules")
    file = client.files.create(file=("rules.pdf", b"Apply in May."), purpose="assistants")
    assert client.vector_stores.files.create(store.id, file_id=file.id).status == "in_progress"
    assert [each.id for each in client.vector_stores.list()] == [store.id]
    assert [each.id for each in client.vector_stores.files.list(store.id)] == [file.id]
    tools: Any = [{"type": "file_search", "vector_store_ids": [store.id]}]
    response = client.responses.create(model="gpt-4o-mini", input="When?", tools=tools)
    assert [item.type for item in response.output] == ["file_search_call", "message"]
    client.vector_stores.files.delete(file.id, vector_store_id=store.id)
    client.files.delete(file.id)
    assert list(client.files.list()) == []
    assert list(client.vector_stores.files.list(store.id)) == []
    with pytest.raises(NotFoundError):
        client.vector_stores.retrieve("vs_unknown")
    tools[0]["vector_store_ids"] = ["vs_unknown"]
    with pytest.raises(NotFoundError, match="not found"):
        client.responses.create(model="gpt-4o-mini", input="When?", tools=tools)
