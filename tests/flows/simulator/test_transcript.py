"""The transcript of a conversation in a terminal."""

from glific_gpt.flows.simulator import TranscriptLine
from glific_gpt.flows.simulator.event_log import format_transcript


def test_it_shows_speakers_and_notes_in_brackets() -> None:
    lines = [
        TranscriptLine("person", "What is ORS?"),
        TranscriptLine("note", "The webhook answered."),
        TranscriptLine("flow", "Salt,\n\nsugar."),
    ]
    assert format_transcript(lines) == "\n".join(
        ["Person: What is ORS?", "[The webhook answered.]", "Flow:   Salt,", "", "        sugar."]
    )


def test_it_is_80_columns_wide() -> None:
    rows = format_transcript([TranscriptLine("flow", "water " * 100), TranscriptLine("note", "x" * 200)]).split("\n")
    assert max(map(len, rows)) <= 80
    assert all(row.startswith(("Flow:   ", "        ")) for row in rows[:8])


def test_control_characters_are_removed() -> None:
    assert format_transcript([TranscriptLine("flow", "a\x1b[2Jb\rc\td")]) == "Flow:   a[2Jbc d"
