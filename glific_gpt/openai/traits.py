"""Traits of OpenAI's text models, derived from their ids, so that new models work without a release."""

import re
from functools import cache
from typing import get_args

# Chat Completions refuses these: "This model is only supported in v1/responses". The openai SDK lists them under
# ResponsesModel and not under ChatModel. The patterns also match their likely successors.
_RESPONSES_ONLY = re.compile(
    r"""
    codex                                           # gpt-5-codex, gpt-5.1-codex-max, codex-mini-latest
    | deep-research | computer-use                  # need tools that only the Responses API has
    | \b(?: cyber | daybreak | rosalind | law )\b   # specialists: gpt-6-cyber, gpt-6.2-astra-law
    | ^(?: o\d | gpt- ).* -pro\b                    # o1-pro, gpt-5.2-pro-2025-12-11
    """,
    re.VERBOSE,
)

# The first pattern that matches decides.
_TEMPERATURE: tuple[tuple[re.Pattern[str], bool], ...] = (
    # gpt-4o-search-preview replies "Model incompatible request argument supplied: temperature".
    (re.compile(r"search|computer-use|codex"), False),
    # The chat variants answer without reasoning: gpt-5-chat-latest, chatgpt-4o-latest, chat-latest.
    (re.compile(r"chat"), True),
    # Models without reasoning, and open weights: all servers for them accept it. gpt-35 is Azure's spelling.
    (re.compile(r"^gpt-(?:35?|4|oss)(?!\d)"), True),
    # Reasoning models accept only the default: o1, o3, gpt-5 and later GPT models.
    (re.compile(r"^(?:o\d|gpt)"), False),
)


# The first pattern that matches decides. From https://developers.openai.com/api/docs/guides/reasoning.
_REASONING_EFFORT: tuple[tuple[re.Pattern[str], bool], ...] = (
    (re.compile(r"search|chat|^o1-(?:mini|preview)"), False),
    (re.compile(r"^gpt-(?:35?|4)(?!\d)"), False),
)
_VERBOSITY: tuple[tuple[re.Pattern[str], bool], ...] = (
    (re.compile(r"search|chat|^o\d|^codex"), False),
    (re.compile(r"^gpt-(?:35?|4|oss)(?!\d)"), False),
)


# Chat models without tools, and models before them. From the pages of https://developers.openai.com/api/docs/models.
_SEARCHES_NO_FILES = re.compile(r"^gpt-35?(?!\d)|^gpt-4(?:-\d|-32k|-vision|$)|^o1-(?:mini|preview)|chat|search-preview")


_READS_NO_PICTURES = re.compile(
    r"^gpt-3|^gpt-4(?:-(?:\d{4}(?:-preview)?|32k.*|turbo-preview))?$|^gpt-oss|^o1-(?:mini|preview)|^o3-mini|spark"
)
"""Models of text alone. gpt-4-turbo and gpt-4-1106-vision-preview read pictures, gpt-4-1106-preview does not."""

_ANSWERS_BY_NO_SCHEMA = re.compile(
    r"^(?: gpt-3 | gpt-4(?:$|-) | gpt-4o-2024-05-13 | chatgpt-4o | o1-(?:mini|preview) )", re.VERBOSE
)
PREFERRED_MODELS = ("gpt-4o-2024-08-06", "gpt-4o", "gpt-4o-mini", "gpt-4.1", "gpt-4.1-mini", "gpt-5-mini", "gpt-5")
"""Models that can answer by a JSON schema. Glific's own function asks the first one for every answer by a schema."""


def base_model(model_id: str) -> str:
    """Return the model that `model_id` is a fine-tune of, or the id itself, trimmed and in lower case.

    The id of a fine-tune is `ft:BASE:org:suffix:id`; before August 2023 it was `BASE:ft-org-date`. Never raises.
    An id without a base is returned unchanged.
    """
    name = model_id.strip().lower()
    rest = name
    while rest.startswith("ft:"):
        rest = rest.removeprefix("ft:").lstrip()
    base = rest.partition(":")[0] if rest != name else name.partition(":ft-")[0]
    return base.strip() or name


def is_responses_only(model_id: str) -> bool:
    """Return True if only the Responses API serves the model and Chat Completions refuses it.

    From the ChatModel and ResponsesModel lists of the openai SDK and the endpoints on
    https://developers.openai.com/api/docs/models. False for a model of an unknown family.
    """
    return _RESPONSES_ONLY.search(base_model(model_id)) is not None


def accepts_temperature(model_id: str) -> bool:
    """Return True if the model accepts a temperature other than its default.

    From https://developers.openai.com/api/docs/guides/reasoning. True for an unknown family. A wrong True costs one
    refused request, which is repeated without the parameter. A wrong False would silently drop the caller's value.
    """
    base = base_model(model_id)
    return next((takes for pattern, takes in _TEMPERATURE if pattern.search(base)), True)


def accepts_reasoning_effort(model_id: str) -> bool:
    """Return True if the model accepts `reasoning_effort`. True for an unknown family, as in `accepts_temperature`."""
    base = base_model(model_id)
    return next((takes for pattern, takes in _REASONING_EFFORT if pattern.search(base)), True)


def accepts_verbosity(model_id: str) -> bool:
    """Return True if the model accepts `verbosity`. True for an unknown family, as in `accepts_temperature`."""
    base = base_model(model_id)
    return next((takes for pattern, takes in _VERBOSITY if pattern.search(base)), True)


def accepts_pictures(model_id: str) -> bool:
    """Return True if the model reads pictures. True for an unknown family: OpenAI refuses for free.

    From the pages of https://developers.openai.com/api/docs/models.
    """
    return _READS_NO_PICTURES.search(base_model(model_id)) is None


def max_picture_tokens(model_id: str) -> int:
    """Return an upper bound of the input tokens of a picture in high detail, for every model that reads pictures.

    From https://developers.openai.com/api/docs/guides/images-vision: a picture is scaled to at most 2,048 pixels. It
    has up to 64 by 64 patches of at most 2.46 tokens each, or 8 tiles of 170 tokens and 85 more. gpt-4o-mini, whose
    tokens cost less, counts 5,667 for each tile.
    """
    return 2833 + 8 * 5667 if base_model(model_id).startswith("gpt-4o-mini") else 10_240


def searches_files(model_id: str) -> bool:
    """Return True if the model can search files in vector stores. True for an unknown family: OpenAI refuses for free.

    gpt-3.5, the first gpt-4 and the chat variants work without tools.
    """
    return _SEARCHES_NO_FILES.search(base_model(model_id)) is None


def supports_json_schema(model_id: str) -> bool:
    """Return True if the model can answer by a JSON schema (Structured Outputs). True for an unknown family.

    From https://developers.openai.com/api/docs/guides/structured-outputs: GPT-4o of August 2024 and later models.
    """
    return _ANSWERS_BY_NO_SCHEMA.search(base_model(model_id)) is None


@cache
def known_model_ids() -> list[str]:
    """Return the sorted ids of models of every kind, from the library's type lists."""
    from openai import types
    from openai.types.shared.all_models import AllModels
    from openai.types.shared.chat_model import ChatModel

    type_lists = (ChatModel, types.AudioModel, types.EmbeddingModel, types.ImageModel, types.ModerationModel)
    ids = {name for alias in type_lists for name in get_args(alias)}
    ids |= {name for part in get_args(AllModels) for name in get_args(part)}
    return sorted(ids)
