"""A WhatsApp message as the phone shows it."""

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
def test_a_mark_becomes_what_the_phone_shows(message: str, markup: str) -> None:
    assert render_message(message) == markup


@pytest.mark.parametrize("message", PLAIN)
def test_what_is_no_mark_stays_as_it_is(message: str) -> None:
    assert render_message(message) == message


def test_markup_in_a_message_is_text() -> None:
    for message in ("<script>alert(1)</script>", "*<img src=x onerror=alert(1)>*", '`"><svg onload=x>`', "<*b*>"):
        markup = render_message(message)
        for ours in ("b", "i", "s", "code"):
            markup = markup.replace(f"<{ours}>", "").replace(f"</{ours}>", "")
        assert "<" not in markup
        assert ">" not in markup


def test_marks_that_cross_never_make_markup_that_does() -> None:
    assert render_message("*a _b* c_") == "<b>a _b</b> c_"


def test_a_message_full_of_marks_is_shown_in_no_time() -> None:
    before = time.monotonic()
    for message in ("*a" * 2000, "*_~" * 1300, "`" * 4096, "_ *" * 1300):
        render_message(message)
    assert time.monotonic() - before < 3
