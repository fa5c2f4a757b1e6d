"""What is printed on terminals that do not know every character."""

import io
import sys

import pytest

from glific_gpt.cli.output import can_show, printable


def test_what_a_terminal_does_not_know_becomes_a_question_mark(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    assert printable("✓ ओआरएस ok\n") == "? ????? ok\n"
    assert not can_show("✓")
    assert can_show("+ ! x -")


def test_what_would_steer_a_terminal_is_left_out() -> None:
    assert printable("a\x1b[2Jb\x07\x9bc\rd\te\nf") == "a [2Jb c d e\nf"
