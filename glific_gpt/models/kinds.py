"""Kinds of OpenAI models, derived from their ids. Questions may only be sent to text models."""

import re
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from glific_gpt.openai.traits import base_model


class ModelKind(StrEnum):
    """Kind of a model, by the OpenAI endpoint that serves it."""

    TEXT = "text"
    COMPLETION = "completion"
    SPEECH = "speech"
    TRANSCRIPTION = "transcription"
    AUDIO = "audio"
    REALTIME = "realtime"
    IMAGE = "image"
    VIDEO = "video"
    EMBEDDING = "embedding"
    MODERATION = "moderation"
    TOOLS = "tools"
    """Research and the use of computers: OpenAI refuses a question without one of their tools."""


class _Rule(NamedTuple):
    kind: ModelKind
    pattern: re.Pattern[str]
    reason: str


def _rule(kind: ModelKind, pattern: str, reason: str) -> _Rule:
    return _Rule(kind, re.compile(pattern, re.VERBOSE), reason)


_SEPARATORS = re.compile(r"[^a-z0-9]+")

# The first rule that matches decides. The patterns are searched in the base model's id, in lower case and with every
# run of separators replaced by one "-". Long markers match anywhere, so that "gptaudio" and "tts2" are found too.
# Markers that occur inside other words (live, asr) must stand alone; digits are not part of a word.
_RULES: tuple[_Rule, ...] = (
    _rule(
        ModelKind.MODERATION,
        r"moderat | content-?filter",
        "moderates text and images, even if the id names another medium",
    ),
    _rule(
        ModelKind.EMBEDDING,
        r"embed | similarity | ^(?:text|code)-search- | ^(?:ada|babbage|curie|davinci)-(?:code-)?search-",
        "returns vectors; the search models are from 2022, while gpt-4o-search-preview is text",
    ),
    _rule(
        ModelKind.TRANSCRIPTION,
        r"""transcri | whisper | diari[sz] | dictat | speech-?recogni
            | (?:speech|voice|audio)-?(?:to|2)-?text | (?<![a-z])(?:stt|asr)(?![a-z])""",
        "the output decides, not the input: gpt-realtime-whisper and gpt-live-transcribe write text",
    ),
    _rule(
        ModelKind.SPEECH,
        r"tts | text-?(?:to|2)-?(?:speech|voice)",
        "states that it reads text aloud, even over a realtime connection",
    ),
    _rule(
        ModelKind.REALTIME,
        r"""real-?time | duplex | (?:(?<![a-z])|(?<=gpt))live(?:stream|(?![a-z]))
            | (?:speech|voice)-?(?:to|2)-?(?:speech|voice)""",
        "a spoken conversation over an open connection; before voice and audio, which are less specific",
    ),
    _rule(ModelKind.VIDEO, r"video | sora | movie", "before image, because image-to-video makes a video"),
    _rule(
        ModelKind.IMAGE, r"image | imagin | dall-?e | picture | photo", "creates images; vision models only read them"
    ),
    _rule(
        ModelKind.SPEECH, r"(?<!in)voice | vocal | speech | speak | narrat", "a voice without a more specific marker"
    ),
    _rule(
        ModelKind.AUDIO,
        r"audio | sound | music | song | jukebox | podcast | translat",
        "sound in or out; OpenAI's translation endpoint and models take speech",
    ),
    _rule(
        ModelKind.TRANSCRIPTION,
        r"(?<![a-z])(?: saarika | saaras | wav2vec | w2v | hubert | parakeet | conformer )(?![a-z])",
        "families on servers that imitate the API, whose names tell no medium: Sarvam's, and those of open weights",
    ),
    _rule(
        ModelKind.SPEECH,
        r"(?<![a-z])(?: bulbul | kokoro | orpheus | chatterbox | bark | piper | vits )(?![a-z])",
        "as before",
    ),
    _rule(ModelKind.AUDIO, r"(?<![a-z])(?: voxtral | ultravox | moshi | seamless )", "as before"),
    _rule(
        ModelKind.COMPLETION,
        r"""^(?:(?:text|code|if|chat)-)*(?:ada|babbage|curie|cushman|davinci)(?![a-z])
            | ^gpt-3-?5-turbo-instruct""",
        "served only by the legacy completions endpoint",
    ),
    _rule(
        ModelKind.TOOLS,
        r"deep-?research | computer-?use",
        "needs web search, file search or a computer, which questions here do not bring",
    ),
)


@lru_cache(1024)  # bounded, because callers choose the ids
def classify_model(model_id: str) -> ModelKind:
    """Return the kind of a model id, including ids of future models. Never raises.

    Ignores case and surrounding white space. A fine-tune has the kind of its base. An id without a marker is text:
    OpenAI itself refuses a model that does not exist. The rules are based on the ids on
    https://developers.openai.com/api/docs/models and https://developers.openai.com/api/docs/deprecations.
    """
    name = _SEPARATORS.sub("-", base_model(model_id))
    return next((rule.kind for rule in _RULES if rule.pattern.search(name)), ModelKind.TEXT)
