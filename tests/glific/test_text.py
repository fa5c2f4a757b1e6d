"""Formatting of answers as WhatsApp messages."""

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glific_gpt.glific.model_output import clean
from glific_gpt.glific.text import (
    MAX_MESSAGE_CHARACTERS,
    end_after_sentence,
    format_for_whatsapp,
    format_json_for_whatsapp,
    is_blank,
    is_long_json_work,
    render_for_whatsapp,
    truncate,
)
from glific_gpt.glific.variables import JSON, neutralise
from tests.support.durations import is_faster_once

MARKUP = ["# ", "**a** ", "- ", "1. ", "> ", "```", "|a|b|\n|-|-|\n", "[a](b)", "\n", " "]
TEXTS = (
    st.text()
    | st.lists(st.sampled_from(MARKUP)).map("".join)
    | st.text("*_~`[]()<>%@#-|!\\&;.1 \n\u200b\u0301\u200d\x00aह👩\ud800results")
    | st.lists(st.sampled_from(["@results.x ", "<%= 1 %>", "@contact", "&lt;%", "&#64;flow.id", "word. ", "<"])).map(
        lambda parts: "".join(parts) * 200
    )
)


@pytest.mark.parametrize("text", ["#", "## ", "No marks at all.", "ओआरएस पिएं।"])
def test_it_keeps_text_without_markdown(text: str) -> None:
    assert render_for_whatsapp(text) == text.strip()
    assert format_for_whatsapp(text) == text.strip()


@settings(deadline=None)
@given(TEXTS)
def test_it_makes_a_valid_message_of_every_answer(answer: str) -> None:
    message = format_for_whatsapp(answer)
    assert len(message.encode("utf-16-le")) // 2 <= MAX_MESSAGE_CHARACTERS
    assert len(message) <= MAX_MESSAGE_CHARACTERS
    assert "<%" not in message
    assert not re.search(r"@(results|contact|flow)\.", message, re.IGNORECASE)
    assert neutralise(message) == message
    assert message == message.strip()
    assert is_blank(message) == is_blank(clean(answer.encode(errors="ignore").decode()))


@settings(deadline=None)
@given(TEXTS, st.integers(20, 300))
def test_a_truncated_text_is_within_the_limit_and_part_of_the_text(text: str, limit: int) -> None:
    short = truncate(text, limit)
    assert len(short.encode("utf-16-le", "surrogatepass")) // 2 <= limit
    assert short.removesuffix("\n```").removesuffix(" …") in text


HOSTILE = [
    "*",
    "[",
    "> ",
    "- ",
    "1. ",
    "`",
    "![",
    "<",
    "&",
    "\\",
    "*a ",
    "_*",
    "a**b",
    "[](",
    "~~a ",
    "|\n",
    "\n",
    "@",
    "~",
    "```\n",
    "~~~\n",
    "【",
    "【†】",
    "\ue200cite",
    "citeturn0a1",
    "<think>",
    "</think>",
    "<b>",
    "<!--",
    "<pre>",
    "<table>",
    "*&",
    "$x",
    "\\(",
    "System.",
    "```~~~\n",
]


@pytest.mark.parametrize("part", HOSTILE)
def test_it_formats_hostile_text_in_a_short_time(part: str) -> None:
    started = time.thread_time()
    format_for_whatsapp(part * (100_000 // len(part)) + "x")
    assert time.thread_time() - started < 1


@pytest.mark.parametrize("text", ["*a " * 20_000 + "b*" * 20_000, "> - " * 25_000 + "x"])
def test_it_formats_deeply_nested_text(text: str) -> None:
    assert format_for_whatsapp(text)


def test_it_neutralises_code_that_appears_after_rendering() -> None:
    assert format_for_whatsapp("&lt;% x %&gt; &#64;results.x @re**sults**.x") == (
        "<\u200b% x %> @\u200bresults.x @re**sults**.x"
    )


def test_it_neutralises_a_variable_that_appears_after_truncation() -> None:
    message = format_for_whatsapp("a" * 4084 + "@contact" + "b" * 100)
    assert message == "a" * 4084 + "@\u200bcontact …"


def test_it_neutralises_before_it_truncates() -> None:
    assert len(format_for_whatsapp("<%" * 2000)) <= MAX_MESSAGE_CHARACTERS


def test_it_removes_characters_that_a_database_refuses() -> None:
    assert format_for_whatsapp("a\x00b\x1b\ud83d c\td") == "ab c\td"


def test_text_after_many_invisible_characters_is_kept() -> None:
    assert format_for_whatsapp("\u200b" * 100_000 + "hi") == "hi"
    assert format_for_whatsapp("&#8203;" + "\u200b" * 5000 + "hi") == "hi"


def test_a_text_that_fits_is_not_cut() -> None:
    assert truncate("a" * 4095) == "a" * 4095
    assert truncate("😀" * 2047) == "😀" * 2047


def test_a_text_that_is_one_character_too_long_is_cut() -> None:
    assert truncate("a" * 4096) == "a" * 4093 + " …"


@pytest.mark.parametrize("end", [".", "!", "?", "।", "॥", "؟", "…", '."', ".*", ".)"])
def test_it_cuts_after_the_last_sentence(end: str) -> None:
    assert truncate(f"one two three{end} four five six", 20) == f"one two three{end}"


@pytest.mark.parametrize("end", ["。", "？", "！"])
def test_it_cuts_after_a_sentence_that_no_space_follows(end: str) -> None:
    assert truncate("水" * 12 + end + "水" * 12, 20) == "水" * 12 + end


def test_it_cuts_at_a_line_break() -> None:
    assert truncate("one two three\nfour five six", 20) == "one two three"


def test_it_does_not_take_a_number_for_a_sentence() -> None:
    assert truncate("one two three 4. five six", 20) == "one two three 4. …"


def test_it_does_not_lose_more_than_half_of_the_limit_for_a_sentence() -> None:
    assert truncate("One. two three four five six", 20) == "One. two three …"


def test_it_cuts_at_white_space_in_mid_sentence() -> None:
    assert truncate("one two three four five six", 20) == "one two three four …"


def test_it_cuts_anywhere_if_there_is_no_white_space() -> None:
    assert truncate("a" * 30, 20) == "a" * 18 + " …"


def test_it_counts_an_emoji_as_two() -> None:
    assert truncate("😀" * 30, 20) == "😀" * 9 + " …"


@pytest.mark.parametrize(
    "letter",
    [
        "e\u0301",
        "कि",
        "👍🏽",
        "👩\u200d🌾",
        "🇮🇳",
        "क्षि",
        "ক্ষ",
        "ਕ੍ਰ",
        "1\ufe0f\u20e3",
        "❤\ufe0f\u200d🔥",
        "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    ],
)
def test_it_does_not_split_combined_characters(letter: str) -> None:
    for limit in range(20, 30):
        short = truncate(letter * 40, limit).removesuffix(" …")
        assert short == letter * (len(short) // len(letter))


def test_it_closes_a_code_block_that_it_cuts_open() -> None:
    text = "```\n" + "x = 1\n" * 10 + "```\nDone"
    assert truncate(text, 30) == "```\nx = 1\nx = 1\nx = 1\n```"
    assert len(truncate(text, 30)) <= 30


def test_it_does_not_close_a_code_block_that_ended() -> None:
    assert truncate("```\nx\n```\n" + "word " * 20, 30) == "```\nx\n```\nword word word …"


@pytest.mark.parametrize("text", ["", " \n\t", "\u200b\u200d\ufeff", "\x00\x07", "\u00a0\u3000", "\ufe0f", "\u2800"])
def test_a_text_without_visible_characters_is_blank(text: str) -> None:
    assert is_blank(text)
    assert format_for_whatsapp(text) == ""


@pytest.mark.parametrize("text", ["a", " .", "😀", "ह", "\u200b1"])
def test_a_text_with_a_visible_character_is_not_blank(text: str) -> None:
    assert not is_blank(text)
    assert format_for_whatsapp(text) != ""


def test_the_work_for_texts_in_json_is_bounded() -> None:
    """A text counts with 50 and its characters. After 65,536, texts are neutralised, and not read as Markdown."""
    texts = format_json_for_whatsapp(["**a** @results.x"] * 5000)
    assert isinstance(texts, list)
    assert (texts[0], texts[991]) == ("*a* @\u200bresults.x",) * 2
    assert (texts[992], texts[-1]) == ("**a** @\u200bresults.x",) * 2


def test_texts_without_marks_leave_the_work_to_others() -> None:
    answer: list[JSON] = ["one", " two words ", "टीका", "citeturn0search0"]
    texts = format_json_for_whatsapp([*answer * 2000, "**a**"])
    assert isinstance(texts, list)
    assert texts[:4] == ["one", "two words", "टीका", "-"]
    assert texts[-1] == "*a*"


def test_texts_without_marks_are_cut_too() -> None:
    assert format_json_for_whatsapp(["a" * 30, "a" * 21], 21) == ["a" * 18 + " …", "a" * 21]


@pytest.mark.parametrize("text", ["*", "<b", "[a]", "@", "1. **a**\n2. *b*", "[![](" * 50, "name"])
def test_many_texts_in_json_take_a_short_time(text: str) -> None:
    texts: list[JSON] = [text] * min(60_000, 1_000_000 // len(text))

    def measure() -> float:
        before = time.thread_time()
        format_json_for_whatsapp(texts)
        return time.thread_time() - before

    assert is_faster_once(measure, 1)


@pytest.mark.parametrize(
    ("value", "is_long"),
    [
        (None, False),
        ({"crop": "**Wheat**", "steps": ["[a](https://x.org)", 1, None, {"b": "c"}]}, False),
        (["a"] * 29, False),
        (["a"] * 30, True),
        ({"a": {str(number): "a" for number in range(30)}}, True),
        (["*_" * 16] * 10, True),
        (["[a] " * 4] * 8, True),
        (["a" * 1000] * 5, True),
    ],
)
def test_the_work_for_json_is_long_by_the_sum_of_its_texts(value: JSON, is_long: bool) -> None:
    assert is_long_json_work(value) is is_long


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Boil water. Let it", "Boil water. …"),
        ("Boil", "Boil …"),
        ("Use ``` here. Then", "Use ``` here.\n``` …"),
        ("```\na\n```\nBoil. Then", "```\na\n```\nBoil. …"),
    ],
)
def test_an_unfinished_text_ends_after_its_last_sentence(text: str, message: str) -> None:
    assert end_after_sentence(text) == message


@pytest.mark.parametrize("limit", [21, 100, 4095])
@pytest.mark.parametrize("start", ["", "```\n", "```\na\n```\n", "https://x.org/"])
@pytest.mark.parametrize("end", ["use ``` here.", "use ``` here. And", "``", "@contacts", "<b", " a. b```", "@flows a"])
def test_an_unfinished_text_with_its_end_is_within_the_limit(start: str, end: str, limit: int) -> None:
    for length in range(limit - 20, limit + 1):
        text = format_for_whatsapp(start + "a" * (length - len(start) - len(end)) + end, limit)
        message = end_after_sentence(text, limit)
        assert len(message) <= limit
        assert neutralise(message) == message


def test_a_cut_address_is_within_the_limit() -> None:
    for length in range(60, 100):
        message = format_for_whatsapp("https://x.org/" + "a" * length + "@contacts" + "b" * 100, 100)
        assert len(message) <= 100
        assert neutralise(message) == message
