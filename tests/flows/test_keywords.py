"""Keywords are kept as Glific hears them."""

import pytest

from glific_gpt.flows.structure import as_kept


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("askgpt", "askgpt"),
        ("Ask GPT!", "askgpt"),
        ("ask_gpt-4", "askgpt4"),
        ("मदद चाहिए।", "मददचाहिए"),
        ("क्\u200dष", "क्ष"),
        ("₹ 5", "5"),
        ("\u00a0a\u2003b\n", "ab"),
        ("?!", ""),
    ],
)
def test_a_keyword_keeps_letters_digits_and_marks_alone(text: str, kept: str) -> None:
    assert as_kept(text) == kept
