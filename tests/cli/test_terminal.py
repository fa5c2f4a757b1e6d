"""Output on terminals with a limited encoding."""

import io
import sys

import pytest

from glific_gpt.cli.output import can_encode, sanitize


def test_unsupported_characters_become_question_marks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    assert sanitize("✓ ओआरएस ok\n") == "? ????? ok\n"
    assert not can_encode("✓")
    assert can_encode("+ ! x -")


def test_control_characters_are_removed() -> None:
    assert sanitize("a\x1b[2Jb\x07\x9bc\rd\te\nf") == "a [2Jb c d e\nf"
