"""WhatsApp messages as HTML."""

import time

import pytest

from glific_gpt.console.presenters.whatsapp import render_message

MARKS = {
    "a *bold* word": "a <b>bold</b> word",
    "_italic_, ~gone~": "<i>italic</i>, <s>gone</s>",
    "*_both_*": "<b><i>both</i></b>",
    "_so *it* is_": "<i>so <b>it</b> is</i>",
    "*नमस्ते*": "<b>नमस्ते</b>",
    "`x*y*z`": "<code>x*y*z</code>",
    "```\ndose = *5*\n```": "<code>dose = *5*</code>",
    "> wise words": '<span class="wa-quote">wise words</span>',
    "- one\n- two": "• one\n• two",
}
PLAIN = (
    "5*3*2",
    "snake_case_name",
    "this is * not bold *",
    "**",
    "2 * 3 = 6 and 3 * 2 = 6",
    "a*b",
    "~",
    "one *line\nother* line",
)


@pytest.mark.parametrize(("message", "markup"), MARKS.items())
def test_a_mark_becomes_a_tag(message: str, markup: str) -> None:
    assert render_message(message) == markup


@pytest.mark.parametrize("message", PLAIN)
def test_text_without_marks_is_unchanged(message: str) -> None:
    assert render_message(message) == message


def test_html_in_a_message_is_escaped() -> None:
    for message in ("<script>alert(1)</script>", "*<img src=x onerror=alert(1)>*", '`"><svg onload=x>`', "<*b*>"):
        markup = render_message(message)
        for tag in ("b", "i", "s", "code"):
            markup = markup.replace(f"<{tag}>", "").replace(f"</{tag}>", "")
        assert "<" not in markup
        assert ">" not in markup


def test_crossing_marks_never_give_crossing_tags() -> None:
    assert render_message("*a _b* c_") == "<b>a _b</b> c_"


def test_a_message_full_of_marks_is_converted_quickly() -> None:
    before = time.thread_time()
    for message in ("*a" * 2000, "*_~" * 1300, "`" * 4096, "_ *" * 1300):
        render_message(message)
    assert time.thread_time() - before < 3
