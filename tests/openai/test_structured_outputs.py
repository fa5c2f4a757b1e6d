"""Models that can answer by a JSON schema."""

import pytest

from glific_gpt.openai.traits import PREFERRED_MODELS, supports_json_schema


@pytest.mark.parametrize(
    "model",
    [
        "gpt-3.5-turbo", "gpt-35-turbo", "gpt-4", "GPT-4", "gpt-4-0613", "gpt-4-turbo", "gpt-4-1106-preview",
        "gpt-4o-2024-05-13", "chatgpt-4o-latest", "o1-mini", "o1-preview-2024-09-12", "ft:gpt-4-0613:org::id",
        "ft:gpt-3.5-turbo-0125:org::id",
    ],
)  # fmt: skip
def test_older_models_cannot(model: str) -> None:
    assert not supports_json_schema(model)


@pytest.mark.parametrize(
    "model",
    [*PREFERRED_MODELS, "gpt-4.5-preview", "o1", "o3-mini", "gpt-5.2", "gpt-7", "ft:gpt-4o-mini:org::id", "new"],
)
def test_later_and_unknown_models_can(model: str) -> None:
    assert supports_json_schema(model)
