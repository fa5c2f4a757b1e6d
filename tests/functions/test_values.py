"""Values from Glific: numbers and ids as text, blank text, and strict JSON."""

import pytest

from glific_gpt.functions.values import MAX_DEPTH, blank_to_none, decode_json, parse_id, parse_number, read_thread_id


@pytest.mark.parametrize(
    ("sent", "value"), [(1, 1), (0.5, 0.5), ("0.5", 0.5), (" 2 ", 2), ("-1", -1), ("+1", 1), (None, None), ([1], [1])]
)
def test_a_number_may_be_text_and_other_values_are_unchanged(sent: object, value: object) -> None:
    assert parse_number(sent) == value


@pytest.mark.parametrize("sent", [True, False, "", "x", "1e3", "1_000", "0x1", "nan", "inf", "١", "1,5", "9" * 10, "."])
def test_text_that_is_not_a_plain_number_is_refused(sent: object) -> None:
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
        (21.0, 21),
        ("21.0", 21),
        (" 21.00 ", 21),
        (21.5, None),
        ("21.5", None),
        ("21.", None),
        (1e300, None),
        ("٢١", None),
        ("@flow.id", None),
        (None, None),
        ({"id": 1}, None),
    ],
)
def test_an_id_is_a_positive_64_bit_number(sent: object, value: int | None) -> None:
    assert parse_id(sent) == value


@pytest.mark.parametrize(("sent", "value"), [("", None), (" \n", None), ("x", "x"), (0, 0), (False, False), ([], [])])
def test_blank_text_becomes_none(sent: object, value: object) -> None:
    assert blank_to_none(sent) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": [1, 2.5, null, true, "x"]}', {"a": [1, 2.5, None, True, "x"]}),
        ('"\\ud83c\\udf3e"', "🌾"),
        ("1e300", 1e300),
        (f"{10**30}", 10**30),
        (" [] ", []),
    ],
)
def test_it_decodes_json(text: str, value: object) -> None:
    assert decode_json(text) == value


@pytest.mark.parametrize(
    "text", ["", "{", "NaN", "[Infinity]", "-Infinity", "1e999", '"\\ud83c"', '{"\\udf3e": 1}', "1 2", "9" * 5000]
)
def test_it_refuses_json_that_cannot_be_encoded_again(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode_json(text)


def test_it_limits_the_depth_of_json() -> None:
    for opening, closing in (("[", "]"), ('{"a":', "}")):
        deepest = opening * (MAX_DEPTH - 1) + "1" + closing * (MAX_DEPTH - 1)
        assert decode_json(deepest)
        for depth in (MAX_DEPTH, MAX_DEPTH + 1, 990, 100_000):
            with pytest.raises(ValueError, match="deep"):
                decode_json(opening * depth + "1" + closing * depth)


@pytest.mark.parametrize(
    ("value", "thread_id"),
    [
        ("gAAAA-_9", "gAAAA-_9"),
        (" gAAAA\n", "gAAAA"),
        ("a" * 6000, "a" * 6000),
        ("a" * 6001, ""),
        ("@results.gpt_response.thread_id", ""),
        ("gAAAA=", ""),
        ("gAAAAé", ""),
        (None, ""),
        (5, ""),
        (["gAAAA"], ""),
    ],
)
def test_a_text_that_is_no_thread_id_is_empty(value: object, thread_id: str) -> None:
    assert read_thread_id(value) == thread_id
