"""Values come from Glific as numbers or as text."""

import pytest

from glific_gpt.functions.values import blank_to_none, parse_id, parse_number


@pytest.mark.parametrize(
    ("sent", "value"), [(1, 1), (0.5, 0.5), ("0.5", 0.5), (" 2 ", 2), ("-1", -1), ("+1", 1), (None, None), ([1], [1])]
)
def test_a_number_may_be_text_and_the_rest_is_left_as_it_is(sent: object, value: object) -> None:
    assert parse_number(sent) == value


@pytest.mark.parametrize("sent", [True, False, "", "x", "1e3", "1_000", "0x1", "nan", "inf", "١", "1,5", "9" * 10, "."])
def test_a_text_that_is_no_plain_number_is_refused(sent: object) -> None:
    with pytest.raises(ValueError, match="not a number"):
        parse_number(sent)


@pytest.mark.parametrize(
    ("sent", "value"),
    [
        (21, 21),
        ("21", 21),
        (" 21 ", 21),
        (2**63 - 1, 2**63 - 1),
        (2**63, None),
        ("9" * 19, None),
        (0, None),
        (-1, None),
        (True, None),
        (1.0, None),
        ("21.0", None),
        ("٢١", None),
        ("@flow.id", None),
        (None, None),
        ({"id": 1}, None),
    ],
)
def test_an_id_is_a_positive_number_that_a_database_can_hold(sent: object, value: int | None) -> None:
    assert parse_id(sent) == value


@pytest.mark.parametrize(("sent", "value"), [("", None), (" \n", None), ("x", "x"), (0, 0), (False, False), ([], [])])
def test_a_blank_text_is_nothing(sent: object, value: object) -> None:
    assert blank_to_none(sent) == value
