"""Hostile flows: the simulation ends soon, whatever their authors wrote. It runs on the server."""

import time

import pytest

from glific_gpt.flows.files import StrictJsonError, parse_json
from glific_gpt.flows.pitfalls import find_pitfalls
from glific_gpt.flows.simulator import guards
from glific_gpt.flows.simulator.eex import evaluate_code
from glific_gpt.flows.simulator.event_log import FlowStuck
from glific_gpt.flows.simulator.expressions import fill_variables
from glific_gpt.flows.simulator.guards import VisitGuard
from glific_gpt.flows.simulator.outcomes import text_message
from glific_gpt.flows.simulator.routers import case_matches

pytestmark = pytest.mark.timeout(60)  # without their limits, these tests take from minutes to years

BODY = "a" * 4000 + "!"


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ("(a+)+$", False),
        ("(a|aa)+$", False),
        ("(.*a){20}$", False),
        ("(a?){1000}a{1000}$", False),
        (r"\d{308}", False),
        ("(" * 200 + "a" + ")*" * 200, True),
        ("a" * 1000, True),
    ],
)
def test_a_regular_expression_is_tested_in_linear_time(pattern: str, matches: bool) -> None:
    assert case_matches("has_pattern", text_message(BODY), [pattern], []) is matches


@pytest.mark.parametrize("pattern", [r"^(?!stop)", r"(a)\1", "(?>a)", "a++", "((a{300}){300}){300}"])
def test_a_regular_expression_that_cannot_be_tested_is_a_problem(pattern: str) -> None:
    with pytest.raises(FlowStuck, match="cannot test the regular expression"):
        case_matches("has_pattern", text_message("a"), [pattern], [])


@pytest.mark.parametrize("pattern", ["a" * 1001, "(" * 100_000])
def test_a_long_regular_expression_is_a_problem(pattern: str) -> None:
    with pytest.raises(FlowStuck, match="too long"):
        case_matches("has_pattern", text_message("a"), [pattern], [])


@pytest.mark.parametrize("digits", ["1" * 307 + " ", "1" * 307 + "a", "1"])
def test_a_file_full_of_digits_is_refused_quickly(digits: str) -> None:
    before = time.thread_time()
    with pytest.raises(StrictJsonError):
        parse_json("[" + digits * (5_000_000 // len(digits)))
    assert time.thread_time() - before < 2  # 4 seconds if digits are counted from each of them


@pytest.mark.parametrize("text", ["<%" * 60_000, "<%=" * 40_000, "<%%" * 40_000 + "%>" + "<%" * 60_000])
def test_code_without_an_end_is_invalid(text: str) -> None:
    assert not evaluate_code(text).is_valid


@pytest.mark.parametrize(
    "code",
    [
        "1" * 190 + "x",
        "div" * 60 + "x",
        "1 " * 95 + "x",
        "(" * 1900 + "x",
        "-" * 1900,
        "1 + " * 490 + "x",
        "if " * 600,
        '"' * 1900,
        "1_" * 900,
        "(" * 30 + "9 * " * 400 + "9" + ")" * 30 + " *",
        "max(" * 400,
        '"\\' * 600,
    ],
)
def test_code_that_is_not_arithmetic_is_invalid(code: str) -> None:
    assert not evaluate_code(f"<%= {code} %>").is_valid


def test_thousands_of_blocks_are_refused_quickly() -> None:
    before = time.thread_time()
    for text in ("<%= if true do %>" * 5_000 + "<% end %>" * 5_000, "<%= 1 %>" * 10_000, "<%= if true do %>" * 5_000):
        assert evaluate_code(text).text
    assert time.thread_time() - before < 5


def test_thousands_of_results_are_filled() -> None:
    results = {f"r{number}": {"input": "x", "value": "x"} for number in range(10_000)}
    assert fill_variables("@contact.name " * 5_000, {"results": results}) == "@contact.name " * 5_000


def test_a_run_that_computes_for_too_long_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guards, "MAX_RUN_SECONDS", 0.0)
    guard = VisitGuard()
    with pytest.raises(FlowStuck, match="too long"):
        guard.count_visit(None)  # type: ignore[arg-type] # the limit comes first


def test_pitfalls_of_a_text_full_of_variables_are_found_in_linear_time() -> None:
    text = "".join(f"@contact.v{number}क " for number in range(100_000))
    nodes = [{"uuid": "a", "actions": [{"type": "send_msg", "text": text}]}]
    export = {"flows": [{"definition": {"name": "A", "nodes": nodes}}]}
    before = time.thread_time()
    assert sum(1 for _ in find_pitfalls(export)) == 100_000
    assert time.thread_time() - before < 5
