"""Formatting of text output."""

from glific_gpt.cli.output import format_fields, format_table


def test_fields_are_formatted_as_lines() -> None:
    data = {"name": "Seva", "on": True, "off": False, "unset": None, "list": ["a", "b"], "empty": [], "usd": 0.00001}
    assert format_fields(data).splitlines() == [
        "name: Seva",
        "on: yes",
        "off: no",
        "unset: -",
        "list: a, b",
        "empty: none",
        "usd: 0.00001",
    ]


def test_columns_are_aligned_under_their_headings() -> None:
    rows = [{"id": 7, "label": "menu flow", "more": 1}, {"id": 12345, "label": "x", "more": 2}]
    assert format_table(rows, {"id": "ID", "label": "LABEL"}).splitlines() == [
        "ID     LABEL",
        "7      menu flow",
        "12345  x",
    ]


def test_a_value_cannot_begin_a_new_line_or_control_the_terminal() -> None:
    assert format_fields({"name": "Seva\nis_active: no\x1b[2J"}) == "name: Seva is_active: no [2J"
    assert format_fields({"name": "क्‍ष"}) == "name: क्‍ष"


def test_whole_amounts_have_no_decimal_point() -> None:
    assert format_fields({"a": 10.0, "b": 2.5, "c": 0.0, "d": 100}) == "a: 10\nb: 2.5\nc: 0\nd: 100"
