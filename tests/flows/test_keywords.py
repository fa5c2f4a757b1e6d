"""Keywords are normalized as in Glific."""

import pytest

from glific_gpt.flows.structure import normalize_keyword


@pytest.mark.parametrize(
    ("text", "normalized"),
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
def test_a_normalized_keyword_has_only_letters_digits_and_marks(text: str, normalized: str) -> None:
    assert normalize_keyword(text) == normalized
