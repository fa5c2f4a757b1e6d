"""Kinds of models: of known ids, fine-tunes, unusual spellings and future ids."""

import ast
import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glific_gpt.models.kinds import ModelKind, classify_model

_LINES = Path(__file__).with_name("openai_models.txt").read_text(encoding="utf-8").splitlines()
KNOWN = dict(line.split(" ") for line in _LINES if line and not line.startswith("#"))
_NOT_MODELS = {"auto", "2026-10-08"}  # versions of the creation of custom voices, in voice_create_params


def _wrong_kinds(expected: dict[str, str]) -> dict[str, str]:
    kinds = {model_id: classify_model(model_id).value for model_id in expected}
    return {
        model_id: f"{kind}, not {expected[model_id]}" for model_id, kind in kinds.items() if kind != expected[model_id]
    }


def _model_names_of_the_sdk() -> set[str]:
    spec = find_spec("openai")
    assert spec is not None
    assert spec.origin is not None
    files = (Path(spec.origin).parent / "types").rglob("*.py")
    return {name for file in files for name in _model_names(ast.parse(file.read_text(encoding="utf-8")))}


def _model_names(module: ast.Module) -> Iterator[str]:
    for node in ast.walk(module):
        if not (isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)):
            continue
        if re.fullmatch(r"model|\w*Models?(Param)?", node.target.id):
            yield from _literals(node)


def _literals(node: ast.AST) -> Iterator[str]:
    for part in ast.walk(node):
        if isinstance(part, ast.Subscript) and ast.unparse(part.value) == "Literal":
            yield from (str(c.value) for c in ast.walk(part.slice) if isinstance(c, ast.Constant))


def test_every_listed_model_has_its_kind() -> None:
    assert not _wrong_kinds(KNOWN)


def test_every_model_of_the_installed_sdk_is_listed() -> None:
    names = _model_names_of_the_sdk() - _NOT_MODELS
    assert {"gpt-4o", "tts-1", "gpt-live-1", "sora-2", "gpt-image-2", "whisper-1"} <= names
    assert sorted(names - KNOWN.keys()) == [], "add these to openai_models.txt with their kind"


def test_every_kind_has_a_listed_model() -> None:
    assert set(KNOWN.values()) == {kind.value for kind in ModelKind}


def test_case_and_surrounding_white_space_are_ignored() -> None:
    assert not _wrong_kinds({f" \t{model_id.upper()}\n": kind for model_id, kind in KNOWN.items()})


@pytest.mark.parametrize(
    "fine_tune",
    [
        "ft:{}:org::abc123",
        "FT: {}:tts-whisper:gpt-image:abc123:ckpt-step-10",
        "ft:{}",
        "ft:ft:{}:org::abc123",
        "{}:ft-org-audio-2022-12-01-00-00-00",
    ],
)
def test_a_fine_tune_has_the_kind_of_its_base(fine_tune: str) -> None:
    assert not _wrong_kinds({fine_tune.format(name): kind for name, kind in KNOWN.items() if ":" not in name})


def test_a_date_does_not_change_the_kind() -> None:
    assert not _wrong_kinds({f"{model_id}-2031-02-28": kind for model_id, kind in KNOWN.items()})


def test_future_ids_have_the_right_kind() -> None:
    future_ids = {
        "gpt-6-voice": "speech",
        "gpt-7-tts-mini": "speech",
        "gpt-tts2": "speech",
        "gpt_tts": "speech",
        "gpt-text-to-speech": "speech",
        "tts-9-hd": "speech",
        "voice-engine-2": "speech",
        "gpt-realtime-tts": "speech",
        "gpt-7-transcribe": "transcription",
        "gpt-transcription-2": "transcription",
        "gpt-live-2-transcribe": "transcription",
        "gpt-audio-to-text": "transcription",
        "gpt-speech-recognition": "transcription",
        "gpt.stt.2": "transcription",
        "whisper-large-v9": "transcription",
        "gpt-6-audio": "audio",
        "gptaudio3": "audio",
        "gpt-music-1": "audio",
        "gpt-translate-1": "audio",
        "gpt-live-2-mini": "realtime",
        "gpt-live2": "realtime",
        "gpt-real-time": "realtime",
        "gpt-realtime-voice": "realtime",
        "gpt-speech-to-speech": "realtime",
        "gpt-image-3": "image",
        "gpt-7-images": "image",
        "dalle4": "image",
        "dall.e.5": "image",
        "sora-4": "video",
        "gpt-video-1": "video",
        "gpt-image-to-video": "video",
        "text-embedding-9": "embedding",
        "gpt-embed-1": "embedding",
        "gpt-image-embeddings": "embedding",
        "omni-moderation-2030": "moderation",
        "gpt-moderator": "moderation",
        "gpt-audio-moderation": "moderation",
        "text-davinci-004": "completion",
        "gpt-3.5-turbo-instruct-2030": "completion",
    }
    assert not _wrong_kinds(future_ids)


def test_speech_families_of_other_servers_are_known_by_name() -> None:
    expected = {
        "bulbul:v2": "speech",
        "hexgrad/Kokoro-82M": "speech",
        "canopylabs/orpheus-3b-0.1-ft": "speech",
        "ResembleAI/chatterbox": "speech",
        "suno/bark-small": "speech",
        "coqui/XTTS-v2": "speech",
        "en_US-lessac-piper": "speech",
        "saarika:v2.5": "transcription",
        "saaras:v2.5": "transcription",
        "facebook/wav2vec2-base-960h": "transcription",
        "nvidia/parakeet-tdt-0.6b-v2": "transcription",
        "Systran/faster-whisper-large-v3": "transcription",
        "ai4bharat/indic-conformer-600m-multilingual": "transcription",
        "mistralai/Voxtral-Mini-3B-2507": "audio",
        "Qwen/Qwen2-Audio-7B-Instruct": "audio",
        "facebook/seamless-m4t-v2-large": "audio",
        "sarvam-m": "text",
        "sarvam-30b": "text",
        "mistralai/Mistral-Small-3.2": "text",
        "embarked-llama": "text",
    }
    assert not _wrong_kinds(expected)


def test_an_id_without_a_marker_is_text() -> None:
    names = [
        *(
            "gpt-7",
            "gpt-7.3-mini",
            "o9-pro",
            "gpt-7-search-text",
            "gpt-8-vision",
            "gpt-9-search-preview",
            "some-new-family-1",
            "",
        ),
        *("gpt-7-ada", "gpt-delivery", "gpt-invoice", "gpt-5-instruct", "gpt-alive", "gpt-adaptive"),
    ]
    assert not _wrong_kinds(dict.fromkeys(names, "text"))


MARKERS = (
    *("tts", "tts2", "voice", "speech", "transcribe", "transcription", "whisper", "stt", "asr", "audio"),
    *(
        "realtime",
        "real-time",
        "live",
        "live2",
        "image",
        "dall-e",
        "sora",
        "video",
        "embedding",
        "moderation",
    ),
)


@given(
    name=st.sampled_from([name for name, kind in KNOWN.items() if kind == "text" and ":" not in name])
    | st.from_regex(r"gpt-[0-9a-z.-]{0,20}", fullmatch=True),
    separator=st.sampled_from("-_./ "),
    marker=st.sampled_from(MARKERS),
    rest=st.from_regex(r"([-_.][0-9a-z_.-]{0,20})?", fullmatch=True),
)
def test_an_id_with_a_marker_is_not_text(name: str, separator: str, marker: str, rest: str) -> None:
    assert classify_model(f"{name}{separator}{marker}{rest}") not in {ModelKind.TEXT, ModelKind.COMPLETION}


@given(st.text())
def test_any_string_has_a_kind(text: str) -> None:
    assert isinstance(classify_model(text), ModelKind)
    assert isinstance(classify_model(f"ft:{text}"), ModelKind)
