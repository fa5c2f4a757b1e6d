"""What a terminal shows of a conversation."""

from glific_gpt.flows.simulator import Line
from glific_gpt.flows.simulator.event_log import drawn


def test_it_shows_who_says_what_and_notes_in_brackets() -> None:
    lines = [Line("person", "What is ORS?"), Line("note", "The webhook answered."), Line("flow", "Salt,\n\nsugar.")]
    assert drawn(lines) == "\n".join(
        ["Person: What is ORS?", "[The webhook answered.]", "Flow:   Salt,", "", "        sugar."]
    )


def test_it_is_80_columns_wide() -> None:
    rows = drawn([Line("flow", "water " * 100), Line("note", "x" * 200)]).split("\n")
    assert max(map(len, rows)) <= 80
    assert all(row.startswith(("Flow:   ", "        ")) for row in rows[:8])


def test_nothing_in_it_steers_the_terminal() -> None:
    assert drawn([Line("flow", "a\x1b[2Jb\rc\td")]) == "Flow:   a[2Jbc d"
