"""Variables in Glific's texts."""

import pytest

from glific_gpt.flows.variables import find_joined, find_unresolved


@pytest.mark.parametrize(
    ("text", "variables"),
    [
        ("@results.question_1", ["@results.question_1"]),
        ("My village is @contact.fields.village.", ["@contact.fields.village"]),
        ("Is it @global.helpline, or @flow.id?", ["@global.helpline", "@flow.id"]),
        ("(@Results.Question)", ["@Results.Question"]),
        ("@calendar.current_date!", ["@calendar.current_date"]),
        ("@results.parent.q.input and @results.child.q", ["@results.parent.q.input", "@results.child.q"]),
        ("@results.a.b.c.d.e.f", ["@results.a.b.c.d"]),
        ("@results.crop-name...", ["@results.crop-name"]),
        ("@results.a @results.a", ["@results.a"]),
        ("क्या @results.फसल है? @results.fasal।", ["@results.fasal"]),
        ("@@results.x", ["@results.x"]),
        ("@wa_group.label and @group.fields.x", ["@wa_group.label", "@group.fields.x"]),
        (" @results\n", ["@results"]),
        ("@contact", ["@contact"]),
    ],
)
def test_it_finds_variables_that_glific_did_not_replace(text: str, variables: list[str]) -> None:
    assert find_unresolved(text) == variables


@pytest.mark.parametrize(
    "text",
    [
        "",
        "What is ORS?",
        "Write to asha@contact.org or ravi@results.in",
        "मेरा ईमेल ravi@global.org है",
        "Follow @glific.org and @contactless.pay",
        "@results-2024.pdf",
        "Meet @contact at the centre",
        "@ results.x",
        "results.x",
        "@results.",
        "user@example.com",
    ],
)
def test_it_finds_no_other_text(text: str) -> None:
    assert find_unresolved(text) == []


@pytest.mark.parametrize(
    ("text", "is_found"),
    [
        ("@contact.nameजी", True),
        ("@contact.name। ठीक", True),
        ("@contact.name’s", True),
        ("@contact.name😀", True),
        ("@contact.name and @contact.nameजी", True),
        ("@contact.name ।", False),
        ("@contact.name", False),
        ("@contact.name.", False),
        ("@contact.nameש", False),
    ],
)
def test_a_letter_outside_ascii_joins_a_variable(text: str, is_found: bool) -> None:
    """Glific reads the first byte of such a letter as part of the name, except those of Hebrew."""
    assert find_joined(text) == (["@contact.name"] if is_found else [])
