"""Texts that Glific's check for suspicious code replaces."""

import pytest

from glific_gpt.flows.suspicious_code import find_suspicious_code


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("First, know your Immune System. It protects you.", ["System."]),
        ("Growing up is a Process. Ask your Travel Agent. Do it.", ["Agent.", "Process."]),
        ("You can apply(online) or not", ["apply("]),
        ("the system. a process. Apply(online)", []),
        ("Immune System\u200b. It protects you.", []),
        ("", []),
    ],
)
def test_code_is_found_in_ordinary_sentences_too(text: str, found: list[str]) -> None:
    assert find_suspicious_code(text) == found
