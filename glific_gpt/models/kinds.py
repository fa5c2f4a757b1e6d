"""What kind of model an OpenAI id names: text, or something that a question must never be sent to."""

import re
from enum import StrEnum
from typing import NamedTuple

from glific_gpt.openai.traits import base_model


class ModelKind(StrEnum):
    """What a model is for, by the endpoint of OpenAI that serves it."""

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


class _Rule(NamedTuple):
    kind: ModelKind
    pattern: re.Pattern[str]
    why: str


def _rule(kind: ModelKind, pattern: str, why: str) -> _Rule:
    return _Rule(kind, re.compile(pattern, re.VERBOSE), why)


_SEPARATORS = re.compile(r"[^a-z0-9]+")

# The first that matches decides. They are searched in the base model's id in lower case, every run of
# separators written as one "-". Long markers match anywhere, so that "gptaudio" and "tts2" are found too;
# those that are part of other words (live, asr) must stand alone, digits being no part of a word.
_RULES: tuple[_Rule, ...] = (
    _rule(
        ModelKind.MODERATION,
        r"moderat | content-?filter",
        "judges text and pictures, whatever medium is named beside it",
    ),
    _rule(
        ModelKind.EMBEDDING,
        r"embed | similarity | ^(?:text|code)-search- | ^(?:ada|babbage|curie|davinci)-(?:code-)?search-",
        "answers with numbers; the searching ones are of 2022, while gpt-4o-search-preview is text",
    ),
    _rule(
        ModelKind.TRANSCRIPTION,
        r"""transcri | whisper | diari[sz] | dictat | speech-?recogni
            | (?:speech|voice|audio)-?(?:to|2)-?text | (?<![a-z])(?:stt|asr)(?![a-z])""",
        "what comes out says more than the way in: gpt-realtime-whisper and gpt-live-transcribe write text",
    ),
    _rule(
        ModelKind.SPEECH,
        r"tts | text-?(?:to|2)-?(?:speech|voice)",
        "says outright that it reads text aloud, also over a realtime connection",
    ),
    _rule(
        ModelKind.REALTIME,
        r"""real-?time | duplex | (?:(?<![a-z])|(?<=gpt))live(?:stream|(?![a-z]))
            | (?:speech|voice)-?(?:to|2)-?(?:speech|voice)""",
        "a spoken conversation over an open connection; goes before voice and audio, which say less",
    ),
    _rule(ModelKind.VIDEO, r"video | sora | movie", "goes before image: image-to-video makes a video"),
    _rule(ModelKind.IMAGE, r"image | imagin | dall-?e | picture | photo", "makes pictures; vision only sees them"),
    _rule(ModelKind.SPEECH, r"(?<!in)voice | vocal | speech | speak | narrat", "a voice, and nothing says more"),
    _rule(
        ModelKind.AUDIO,
        r"audio | sound | music | song | jukebox | podcast | translat",
        "sound in or out; OpenAI's translation endpoint and models take speech",
    ),
    _rule(
        ModelKind.COMPLETION,
        r"""^(?:(?:text|code|if|chat)-)*(?:ada|babbage|curie|cushman|davinci)(?![a-z])
            | ^gpt-3-?5-turbo-instruct""",
        "served only by the completions endpoint of old",
    ),
)


def classify_model(model_id: str) -> ModelKind:
    """Tell the kind of any model id, of models not seen before too; never raises.

    Case and surrounding white space do not matter, and of a fine-tune only its base does. An id without a
    marker is text: whether it exists is OpenAI's to say. The rules were drawn from the ids on
    https://developers.openai.com/api/docs/models and https://developers.openai.com/api/docs/deprecations.
    """
    name = _SEPARATORS.sub("-", base_model(model_id))
    return next((rule.kind for rule in _RULES if rule.pattern.search(name)), ModelKind.TEXT)
