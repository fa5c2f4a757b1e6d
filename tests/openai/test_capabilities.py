"""Learned capabilities: kept for each key and model, for an hour, and limited in number."""

from types import SimpleNamespace

import pytest
from pydantic import SecretStr

from glific_gpt.openai.adaptations import UNCHANGED, Adaptations
from glific_gpt.openai.capabilities import EXPIRY_SECONDS, MAX_LEARNED_MODELS, LearnedCapabilities

KEY = SecretStr("sk-proj-alice-0000-Wx9Z")
NO_TEMPERATURE = Adaptations(omitted=frozenset({"temperature"}))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    seconds = [1000.0]
    monkeypatch.setattr("glific_gpt.openai.capabilities.time", SimpleNamespace(monotonic=lambda: seconds[0]))
    return seconds


def test_a_capability_is_kept_for_its_key_and_model_only() -> None:
    capabilities = LearnedCapabilities()
    capabilities.learn(KEY, "gpt-a", NO_TEMPERATURE)
    assert capabilities.find(KEY, "gpt-a") == NO_TEMPERATURE
    assert capabilities.find(KEY, "gpt-b") == UNCHANGED
    assert capabilities.find(SecretStr("sk-proj-bob-0000-Wx9Z"), "gpt-a") == UNCHANGED


def test_a_capability_is_forgotten_after_an_hour(clock: list[float]) -> None:
    capabilities = LearnedCapabilities()
    capabilities.learn(KEY, "gpt-a", NO_TEMPERATURE)
    clock[0] += EXPIRY_SECONDS - 1
    assert capabilities.find(KEY, "gpt-a") == NO_TEMPERATURE
    clock[0] += 1
    assert capabilities.find(KEY, "gpt-a") == UNCHANGED
    assert EXPIRY_SECONDS == 3600


def test_the_oldest_capability_is_dropped_when_there_are_too_many() -> None:
    capabilities = LearnedCapabilities()
    for number in range(MAX_LEARNED_MODELS):
        capabilities.learn(KEY, f"gpt-{number}", NO_TEMPERATURE)
    capabilities.learn(KEY, "gpt-0", NO_TEMPERATURE)  # makes it the newest
    capabilities.learn(KEY, "gpt-new", NO_TEMPERATURE)
    known = [number for number in range(MAX_LEARNED_MODELS) if capabilities.find(KEY, f"gpt-{number}") != UNCHANGED]
    assert len(known) == MAX_LEARNED_MODELS - 1
    assert 1 not in known
    assert capabilities.find(KEY, "gpt-new") == NO_TEMPERATURE


def test_a_key_with_many_models_displaces_only_its_own() -> None:
    capabilities = LearnedCapabilities()
    bob = SecretStr("sk-proj-bob-0000-Wx9Z")
    capabilities.learn(bob, "gpt-a", NO_TEMPERATURE)
    capabilities.learn(bob, "gpt-b", NO_TEMPERATURE)
    for number in range(2 * MAX_LEARNED_MODELS):
        capabilities.learn(KEY, f"gpt-{number}", NO_TEMPERATURE)
    assert [capabilities.find(bob, model) for model in ("gpt-a", "gpt-b")] == [NO_TEMPERATURE] * 2
    known = [number for number in range(2 * MAX_LEARNED_MODELS) if capabilities.find(KEY, f"gpt-{number}") != UNCHANGED]
    assert known == list(range(MAX_LEARNED_MODELS + 2, 2 * MAX_LEARNED_MODELS))


def test_a_key_that_learns_for_the_first_time_displaces_one_entry_of_the_key_with_the_most() -> None:
    capabilities = LearnedCapabilities()
    for number in range(MAX_LEARNED_MODELS):
        capabilities.learn(SecretStr(f"sk-proj-{number}"), "gpt-a", NO_TEMPERATURE)
    capabilities.learn(KEY, "gpt-a", NO_TEMPERATURE)
    assert capabilities.find(KEY, "gpt-a") == NO_TEMPERATURE
    assert capabilities.find(SecretStr("sk-proj-0"), "gpt-a") == UNCHANGED
    assert len(capabilities._learned) == MAX_LEARNED_MODELS


def test_no_key_is_kept() -> None:
    capabilities = LearnedCapabilities()
    capabilities.learn(KEY, "gpt-a", NO_TEMPERATURE)
    assert "Wx9Z" not in repr(vars(capabilities))
