"""What is printed for people."""

from glific_gpt.cli.output import fields, table


def test_it_writes_one_field_a_line_in_words() -> None:
    data = {"name": "Seva", "on": True, "off": False, "unset": None, "list": ["a", "b"], "empty": [], "usd": 0.00001}
    assert fields(data).splitlines() == [
        "name: Seva",
        "on: yes",
        "off: no",
        "unset: -",
        "list: a, b",
        "empty: none",
        "usd: 0.00001",
    ]


def test_it_aligns_columns_under_their_headings() -> None:
    rows = [{"id": 7, "label": "menu flow", "more": 1}, {"id": 12345, "label": "x", "more": 2}]
    assert table(rows, {"id": "ID", "label": "LABEL"}).splitlines() == [
        "ID     LABEL",
        "7      menu flow",
        "12345  x",
    ]


def test_it_keeps_foreign_text_on_its_line_and_from_steering_the_terminal() -> None:
    assert fields({"name": "Seva\nis_active: no\x1b[2J"}) == "name: Seva is_active: no [2J"
    assert fields({"name": "क्‍ष"}) == "name: क्‍ष"


def test_it_writes_whole_amounts_without_a_point() -> None:
    assert fields({"a": 10.0, "b": 2.5, "c": 0.0, "d": 100}) == "a: 10\nb: 2.5\nc: 0\nd: 100"
