"""Conversion of Markdown to WhatsApp's formatting."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glific_gpt.glific.markdown import render
from tests.support.durations import is_faster_once

ANSWERS = {
    "bold": ("Drink **ORS** often.", "Drink *ORS* often."),
    "bold by underscores": ("Drink __ORS__ often.", "Drink *ORS* often."),
    "italic beside bold": ("**Wash** *before* meals.", "*Wash* _before_ meals."),
    "italic by underscores": ("Wash _before_ meals.", "Wash _before_ meals."),
    "bold italic": ("***Important*** notice", "*_Important_* notice"),
    "strike": ("~~Monday~~ Tuesday", "~Monday~ Tuesday"),
    "bold over two lines": ("**first\nsecond**", "*first*\n*second*"),
    "bold that ends in a space": ("**Note: **drink water", "*Note:* drink water"),
    "bold before a letter": ('**"ओआरएस"**का घोल', '*"ओआरएस"*का घोल'),
    "bold in bold": ("**a **b** c**", "*a b c*"),
    "heading": ("# Safe water\n\nBoil it.", "*Safe water*\n\nBoil it."),
    "heading without a blank line": ("### Steps\nBoil it.", "*Steps*\nBoil it."),
    "heading that is bold already": ("## **Safe** water", "*Safe water*"),
    "heading with a closing mark": ("## Safe water ##", "*Safe water*"),
    "Hindi": ("## ओआरएस कैसे बनाएं\n\n1. **1 लीटर** साफ पानी लें।", "*ओआरएस कैसे बनाएं*\n\n1. *1 लीटर* साफ पानी लें।"),
    "Tamil": ("**உப்பு கரைசல்**\n* நீர்\n* சர்க்கரை", "*உப்பு கரைசல்*\n- நீர்\n- சர்க்கரை"),
    "Arabic": ("### الماء\n- **اشرب** الماء؟\n- نعم", "*الماء*\n- *اشرب* الماء؟\n- نعم"),
    "Swahili": (
        "**Hatua:**\n\n1. Chemsha maji\n2. Ongeza _chumvi_",
        "*Hatua:*\n\n1. Chemsha maji\n2. Ongeza _chumvi_",
    ),
    "stars for bullets": ("* salt\n* sugar", "- salt\n- sugar"),
    "pluses for bullets": ("+ salt\n+ sugar", "- salt\n- sugar"),
    "hyphens for bullets": ("- salt\n- sugar", "- salt\n- sugar"),
    "nested bullets": ("- food\n    - rice\n    - dal\n- water", "- food\n  - rice\n  - dal\n- water"),
    "bullets in numbers": ("1. **Food**\n   - rice\n2. Water", "1. *Food*\n   - rice\n2. Water"),
    "numbers with gaps": ("1. Wash\n\n2. Rinse", "1. Wash\n\n2. Rinse"),
    "numbers from four": ("4. Rinse\n5. Dry", "4. Rinse\n5. Dry"),
    "numbers left to Markdown": ("1. Wash\n1. Rinse\n1. Dry", "1. Wash\n2. Rinse\n3. Dry"),
    "numbers with brackets": ("1) Wash\n2) Rinse", "1) Wash\n2) Rinse"),
    "years": ("2019. Founded\n2021. Moved", "2019. Founded\n2021. Moved"),
    "two paragraphs in an item": ("1. Wash\n\n   Use soap.", "1. Wash\n\n   Use soap."),
    "list after a line": ("You need:\n- salt", "You need:\n- salt"),
    "link": ("See [WHO](https://who.int/ors).", "See WHO (https://who.int/ors)."),
    "link to itself": ("[https://who.int](https://who.int)", "https://who.int"),
    "link in angles": ("<https://who.int>", "https://who.int"),
    "link in Hindi": ("[विकि](https://hi.wikipedia.org/wiki/जल)", "विकि (https://hi.wikipedia.org/wiki/जल)"),
    "link in bold": ("**[WHO](https://who.int)**", "*WHO (https://who.int)*"),
    "link with no text": ("[](https://who.int)", "https://who.int"),
    "bare address": ("https://who.int/a_b_c?x=1&y=2", "https://who.int/a_b_c?x=1&y=2"),
    "e-mail": ("[help@ngo.org](mailto:help@ngo.org)", "help@ngo.org"),
    "telephone": ("[Helpline](tel:1098)", "Helpline (1098)"),
    "image": ("![A well](https://x.org/w.png)", "A well (https://x.org/w.png)"),
    "script": ("[x](javascript:alert)", "[x](javascript:alert)"),
    "footnote": ("[1]: https://who.int", "[1]: https://who.int"),
    "note": ("[Note]: Drink water", "[Note]: Drink water"),
    "inline code": ("Run `a_b **c**`", "Run `a_b **c**`"),
    "code": ("```python\nx = '**a**'\n\n\ny\n```\nDone", "```\nx = '**a**'\n\n\ny\n```\nDone"),
    "code that was not closed": ("```\nx = 1", "```\nx = 1\n```"),
    "quote": ("> Wash hands\n> **often**\n>\n> daily", "> Wash hands\n> *often*\n>\n> daily"),
    "rule": ("One\n\n---\n\nTwo", "One\n\n───\n\nTwo"),
    "rule right under a line": ("One\n---\nTwo", "One\n───\nTwo"),
    "table": (
        "| Vaccine | Age |\n|---|:--:|\n| **BCG** | birth |\n| OPV | 6 weeks<br>or later |",
        "Vaccine: *BCG*\nAge: birth\n\nVaccine: OPV\nAge: 6 weeks\nor later",
    ),
    "table with gaps": ("| | Age |\n|---|---|\n| BCG | birth |\n| OPV | |", "BCG\nAge: birth\n\nOPV"),
    "table of a header alone": ("| a | b |\n|---|---|", "a | b"),
    "table in Hindi": ("|टीका|आयु|\n|-|-|\n|बीसीजी|जन्म|", "टीका: बीसीजी\nआयु: जन्म"),
    "line break in HTML": ("Salt<br/>Sugar", "Salt\nSugar"),
    "entities": ("Salt &amp; sugar &lt; 5", "Salt & sugar < 5"),
    "escapes": (r"\*not bold\* 1\. \# x", "*not bold* 1. # x"),
    "line breaks": ("One\nTwo  \nThree\\\nFour", "One\nTwo\nThree\nFour"),
    "Windows line breaks": ("One\r\nTwo\r\n\r\nThree", "One\nTwo\n\nThree"),
    "many blank lines": ("**One**\n\n\n\nTwo\n\n", "*One*\n\n\n\nTwo"),
    "powers": ("2**3 and 4**5", "2**3 and 4**5"),
}

PLAIN = [
    "2 * 3 * 4 = 24",
    "5*3*2=30 and a*b*c",
    "snake_case_names and file_name.txt",
    "5 > 3 and 2 < 4",
    "पानी उबालकर पिएं। रोज़ 8 गिलास पिएं॥",
    "தினமும் தண்ணீர் குடிக்கவும்.",
    "اشرب الماء كل يوم؟ نعم!",
    "Kunywa maji mengi kila siku.",
    "👩🏽‍🌾 Namaste 🙏🏽 ❤️",
    "#hashtag is not a heading",
    "+91 98765 43210",
    "It costs $5, ~10 kg, 50% off",
    "Dear Asha,\nThank you.\n\nYours\nRavi",
    "- salt\n- sugar",
    "1. Wash\n2. Rinse",
    "Q1) True / False?",
    "Name: ____ Age: ____",
    "C:\\new\\file (50%) [maybe] {x} | y",
    "Already ~struck~ and _italic_ and `code`",
]


@pytest.mark.parametrize(("answer", "expected"), ANSWERS.values(), ids=ANSWERS.keys())
def test_it_converts_markdown_to_whatsapp_formatting(answer: str, expected: str) -> None:
    assert render(answer) == expected


@pytest.mark.parametrize("text", PLAIN)
def test_it_leaves_plain_text_unchanged(text: str) -> None:
    assert render(text) == text


@settings(deadline=None)
@given(st.lists(st.sampled_from([*PLAIN, *(answer for answer, _ in ANSWERS.values()), "\n", "> ", "  "])))
def test_it_converts_every_mixture_of_marks(parts: list[str]) -> None:
    text = render("".join(parts))
    assert text == text.strip()


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("**a** " + "[b](c) " * 201, "**a** [b](c)"),
        ("**a** " + "_*" * 1500, "**a** _*"),
        ("**a**\n" + "- b\n" * 800, "**a**\n- b"),
        ("|**a**" * 100 + "|\n" + "|-" * 100 + "|\n" + "|b|\n" * 60, "|**a**|**a**|"),
    ],
    ids=["brackets", "marks", "lines", "cells"],
)
def test_a_text_with_too_many_marks_stays_as_it_is(text: str, start: str) -> None:
    assert render(f" {text}\r\n") == text.strip()
    assert render(text).startswith(start)


def test_a_long_text_with_usual_marks_is_formatted() -> None:
    paragraph = (
        "**Salt** and _sugar_, see [WHO](https://who.int):\n\n- one\n- two\n\n| a | b |\n|---|---|\n| c | d |\n\n"
    )
    rendered = "*Salt* and _sugar_, see WHO (https://who.int):\n\n- one\n- two\n\na: c\nb: d"
    assert render(paragraph * 60).count(rendered) == 60


# fmt: off
HOSTILE_PARTS = (
    "![", "[", "]", "](", ")", "*", "**", "_", "~~", "`", "``", "<", ">", "&", "&amp;", "\\", "|", "|-|", "#", "- ",
    "1. ", "> ", "\n", "\n\n", "  ", "a", "http://a", "[a]: b\n", "```\n", "<br>", "😀", "\u0301",
)
# fmt: on


def _hostile_texts() -> st.SearchStrategy[str]:
    parts = st.sampled_from(HOSTILE_PARTS)
    units = st.lists(parts, min_size=1, max_size=6).map("".join)
    repeated = st.tuples(units, st.integers(1, 4096)).map(lambda pair: pair[0] * pair[1])
    return st.lists(repeated, min_size=1, max_size=3).map(lambda texts: "".join(texts)[:8192])


@settings(max_examples=150, deadline=None)
@given(_hostile_texts())
def test_no_text_takes_long(text: str) -> None:
    """Without the limits, 8,192 characters took up to 800 milliseconds."""

    def measure() -> float:
        before = time.thread_time()
        render(text)
        return time.thread_time() - before

    # Several times, because the garbage collector may run in this thread.
    assert is_faster_once(measure, 0.25)
