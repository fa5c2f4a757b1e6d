"""Properties of the text that a person reads, for generated answers.

The tests run for three seconds. FUZZ_SECONDS sets another time for all of them together, and FUZZ_SEED repeats an
earlier run.
"""

import os
import random
import re
import time
from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, Phase, given, seed
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from glific_gpt.flows.suspicious_code import SUSPICIOUS_CODE, find_suspicious_code
from glific_gpt.flows.variables import ROOTS
from glific_gpt.glific.model_output import clean
from glific_gpt.glific.text import (
    MAX_MESSAGE_CHARACTERS,
    end_after_sentence,
    format_for_whatsapp,
    format_json_for_whatsapp,
    is_blank,
)
from glific_gpt.glific.variables import JSON, neutralise
from tests.support.durations import is_faster_once

pytestmark = pytest.mark.fuzz

FUZZ_SECONDS = float(os.environ.get("FUZZ_SECONDS", "3"))
SEED = int(os.environ.get("FUZZ_SEED", random.SystemRandom().getrandbits(32)))
ROUND = 200
"""Number of answers between two checks of the elapsed time."""
MAX_SECONDS = 0.15
"""Longest time that one answer may take, on a busy machine."""

LIVE_VARIABLE = re.compile(rf"@(?:{'|'.join(ROOTS)})(?![A-Za-z0-9_\-])", re.IGNORECASE)

LETTERS = {
    "Devanagari": "कखगजतनपमरलवसह अआइउ ािीुूेैोौंँः् क्ष त्र ज्ञ ०१२",
    "Bengali": "কখগজতনপমরলসহ অআই ািীুূেৈোৌংঁ্ ক্ষ ০১২",
    "Tamil": "கசடதபறயரலவழள அஆஇ ாிீுூெேைொோௌ் ௧௨",
    "Urdu": "ابپتٹجچحخدڈرڑزسشعغفقکگلمنںوہھءیے ۱۲۳ \u200c",
    "Latin": "abcXYZ éß 0123456789",
    "emoji": "🌾🙏🏽👩🏽‍🌾❤️🇮🇳🇧🇩1️⃣🏴󠁧󠁢󠁥󠁮󠁧󠁿",
}
PUNCTUATION = ".,;:!?।॥؟۔()'\"-–—/%=+₹&@#"
PLAIN = st.text(st.sampled_from("".join(LETTERS.values()) + PUNCTUATION + "*_~*_  \n<>"), max_size=120)
WORDS = st.text(st.sampled_from("".join(LETTERS.values()).replace(" ", "")), min_size=1, max_size=8)

# A text that has one of these may hold Markdown, HTML or an address, on which other rules apply.
MARKDOWN = re.compile(
    r"\*\*|__|~~|^[ >]*[*+][ ]|^[ >]*#{1,6}[ ]|^[ >]*1[.)][ ]|^[ ]+-[ ]|^[ >]*(?:[-*_][ ]*){3,}$|[^\s][ ]{2,}\n"
    r"|^[ >]*={3}|<[A-Za-z/!]|&[#A-Za-z]+;|www\.|@[A-Za-z0-9]",
    re.MULTILINE,
)

# fmt: off
MARKS = (
    "*", "**", "***", "_", "__", "~", "~~", "`", "``", "```", "```\n", "```markdown\n", "~~~\n", "# ", "## ", "- ",
    "* ", "+ ", "1. ", "0. ", "2024. ", "> ", "[", "]", "](", "](https://x.org/a_b)", "[a][1]",
    "[1]: https://x.org\n", "![", "(", ")", "|", "\n|-|-|\n", "|a|b|\n|---|---|\n|1|2|\n", "\n", "\n\n", "  \n", " ",
    "---\n", "***\n", "\\", "\\*", "\\(", "\\)", "\\[", "\\]", "$$", "$x^2$", "\\frac{1}{2}", "<b>", "</b>", "<i>",
    "</i>", "<br>", "<p>", "</p>", "<ul>", "<li>", "</li>", "</ul>", "<ol>", "</ol>", "<sub>", "</sub>", "<sup>",
    "</sup>", "<a href='https://x.org'>", "</a>", "<h2>", "</h2>", "<pre>", "</pre>", "<code>", "</code>", "<table>",
    "<tr>", "<td>", "</td>", "</tr>", "</table>", "<!--", "-->", "&nbsp;", "&lt;", "&#64;", "&amp;", "【4:0†a.pdf】",
    "\ue200cite\ue202turn0search0\ue201", "citeturn0search1", "<think>", "</think>", "[^1]", "[ ] ", "[x] ",
    "*99*1#", "**21*98#", "c**ll@g**.com", "5*3", "https://x.org/a_b*c", "a_b@x.org", "<%", "%>", "@",
    "@contact.name", "@results", "<", ">", *SUSPICIOUS_CODE, "System", "apply", "{", "}", '"', '{"a": ', "\u200b",
    "\x00", "\ud83d", "\u0301", "\u200d",
)
# fmt: on
MARKED = st.lists(st.sampled_from(MARKS) | WORDS | st.just(" "), max_size=40).map("".join)
ANY = MARKED | PLAIN | st.text(max_size=60)
LONG = st.tuples(st.lists(ANY, min_size=1, max_size=3), st.integers(1, 4000)).map(
    lambda pair: ("".join(pair[0]) * pair[1])[:20_000]
)
# No backslash, entity, code, tag, table, link or source: these can write new marks.
SIMPLE_MARKS = [
    "*",
    "**",
    "***",
    "_",
    "__",
    "~",
    "~~",
    "- ",
    "* ",
    "# ",
    "> ",
    "\n",
    "\n\n",
    " ",
    "*99*1#",
    "5*3",
    "**21*9#",
]
SIMPLE = st.lists(st.sampled_from(SIMPLE_MARKS) | WORDS, max_size=30).map("".join)


CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def require_sendable(message: str, limit: int = MAX_MESSAGE_CHARACTERS) -> None:
    assert len(message.encode("utf-16-le")) // 2 <= limit
    assert message == message.strip()
    assert "<%" not in message
    assert not message.endswith(("<", "@"))
    assert not LIVE_VARIABLE.search(message)
    assert find_suspicious_code(message) == []
    assert neutralise(message) == message
    assert not CONTROLS.search(message)


def check_message(answer: str, limit: int = MAX_MESSAGE_CHARACTERS) -> None:
    """Every answer becomes a message that Glific sends, and only an answer without content an empty one."""
    message = format_for_whatsapp(answer, limit)
    require_sendable(message, limit)
    if is_blank(message):
        assert is_blank(clean(answer.encode(errors="ignore").decode()))
    else:
        require_sendable(end_after_sentence(message, limit), limit)


def check_short_message(answer: str) -> None:
    check_message(answer, 100)


def check_plain(text: str) -> None:
    """Text without Markdown stays as it is. Only what Glific would run is neutralised."""
    if not MARKDOWN.search(text.strip()):
        assert format_for_whatsapp(text) == ("" if is_blank(text) else neutralise(text.strip()))


def check_letters(answer: str) -> None:
    """Marks are converted without the loss of a letter or digit."""
    assert read_letters(format_for_whatsapp(answer)) == read_letters(answer)


def read_letters(text: str) -> str:
    return "".join(filter(str.isalnum, text))


def check_again(answer: str) -> None:
    """A message without the marks that only Markdown has stays if it is formatted again."""
    message = format_for_whatsapp(answer)
    if not MARKDOWN.search(message):
        assert format_for_whatsapp(message) == message


def check_cut(answer: str) -> None:
    """A cut splits nothing that is seen as one character."""
    message = format_for_whatsapp(answer, 60).removesuffix(" …")
    assert not message.endswith("\u200d")
    flags = re.search("[\U0001f1e6-\U0001f1ff]*$", message)
    assert flags
    assert len(flags[0]) % 2 == 0


def check_time(answer: str) -> None:
    """No text takes long."""

    def measure() -> float:
        before = time.thread_time()
        format_for_whatsapp(answer)
        return time.thread_time() - before

    # Several times, because the garbage collector may run in this thread.
    assert is_faster_once(measure, MAX_SECONDS)


def check_json(answer: str) -> None:
    """All texts and keys of a decoded answer can be sent and read."""
    decoded = format_json_for_whatsapp({"a": [answer, None, ""], answer: {"b": answer}}, 200)
    assert isinstance(decoded, dict)
    for key in decoded:
        assert "<%" not in key
        assert not LIVE_VARIABLE.search(key)
    for text in read_texts(decoded):
        require_sendable(text, 200)
        assert not is_blank(text)


def read_texts(value: JSON) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for child in value.values() if isinstance(value, dict) else value:
            yield from read_texts(child)


FLAGS = st.lists(st.sampled_from(["🇮🇳", "🇧🇩", "क्षि ", "👩🏽‍🌾", "abc. ", "।", "தமிழ்"]), min_size=20, max_size=60).map(
    "".join
)

CHECKS: dict[str, tuple[Callable[[str], None], st.SearchStrategy[str]]] = {
    "messages": (check_message, ANY | LONG),
    "short messages": (check_short_message, ANY | LONG),
    "plain text": (check_plain, PLAIN),
    "letters": (check_letters, SIMPLE),
    "formatting again": (check_again, SIMPLE),
    "cuts": (check_cut, FLAGS),
    "time": (check_time, LONG),
    "JSON": (check_json, ANY),
}


@pytest.mark.parametrize("name", CHECKS)
@pytest.mark.timeout(FUZZ_SECONDS + 120)
def test_generated_answers_become_messages(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    check, strategy = CHECKS[name]
    until, number, answers = time.monotonic() + FUZZ_SECONDS / len(CHECKS), SEED, 0
    while time.monotonic() < until:
        seed(number)(_create_round(check, strategy))()
        number += 1
        answers += ROUND
    with capsys.disabled():
        print(f"\n{name}: {answers} answers, seed {SEED}")  # noqa: T201


def _create_round(check: Callable[[str], None], strategy: st.SearchStrategy[str]) -> Callable[[], None]:
    @hypothesis_settings(
        max_examples=ROUND,
        deadline=None,
        database=None,
        derandomize=False,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def check_one(answer: str) -> None:
        check(answer)

    return check_one
