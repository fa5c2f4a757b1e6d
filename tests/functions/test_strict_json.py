"""JSON is decoded only when everyone downstream can take it."""

import pytest

from glific_gpt.functions.values import MAX_DEPTH, decode_json


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
def test_it_refuses_what_cannot_be_written_again(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode_json(text)


def test_it_decodes_just_so_deep() -> None:
    for opening, closing in (("[", "]"), ('{"a":', "}")):
        deepest = opening * (MAX_DEPTH - 1) + "1" + closing * (MAX_DEPTH - 1)
        assert decode_json(deepest)
        for depth in (MAX_DEPTH, MAX_DEPTH + 1, 990, 100_000):
            with pytest.raises(ValueError, match="deep"):
                decode_json(opening * depth + "1" + closing * depth)
