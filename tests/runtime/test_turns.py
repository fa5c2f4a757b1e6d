"""Groups take turns, and the items of a group keep their order."""

import pytest

from glific_gpt.runtime.turns import Turns


def filled(*groups: str) -> Turns[str]:
    turns: Turns[str] = Turns()
    for number, group in enumerate(groups):
        turns.push(group, f"{group}{number}")
    return turns


def taken(turns: Turns[str]) -> list[str]:
    return [turns.pop() for _ in range(len(turns))]


def test_the_groups_take_turns() -> None:
    turns = filled("a", "a", "a", "b", "c", "b")
    assert taken(turns) == ["a0", "b3", "c4", "a1", "b5", "a2"]
    with pytest.raises(LookupError):
        turns.pop()


def test_an_item_can_be_removed() -> None:
    turns = filled("a", "a", "b")
    turns.remove("a", "a0")
    turns.remove("b", "b2")
    assert taken(turns) == ["a1"]
    for group, item in (("a", "a0"), ("never", "seen")):
        with pytest.raises(ValueError, match="not in"):
            turns.remove(group, item)
    assert len(turns) == 0
