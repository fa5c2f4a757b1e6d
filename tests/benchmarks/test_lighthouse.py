"""The check of the console's pages reads Lighthouse's report, and names each score that is too low."""

from pathlib import Path

import pytest

from benchmarks.lighthouse import audit
from benchmarks.lighthouse.audit import VARIANTS, AuditFailed, Scores, audit_repeatedly, read_scores
from benchmarks.lighthouse.report import format_table, list_failures
from tests.support.programs import ROOT


def scores(performance: int, accessibility: int = 100, finding: str = "") -> Scores:
    values = {"performance": performance, "accessibility": accessibility, "best-practices": 100}
    return Scores(values, [finding] if finding else [])


def report(score: float | None) -> dict[str, object]:
    paint = {"title": "Largest Contentful Paint", "displayValue": "4.1 s", "score": 0.4}
    references = [{"id": "paint", "weight": 25}, {"id": "hint", "weight": 0}]
    return {
        "finalDisplayedUrl": "http://127.0.0.1/",
        "categories": {"performance": {"score": score, "auditRefs": references}},
        "audits": {"paint": paint, "hint": {"title": "Hint", "score": 0}},
    }


def test_the_scores_name_the_audits_that_lowered_them() -> None:
    assert read_scores(report(0.94)) == Scores({"performance": 94}, ["performance: Largest Contentful Paint 4.1 s"])


def test_a_page_that_was_not_measured_has_no_scores() -> None:
    with pytest.raises(AuditFailed, match="could not measure performance"):
        read_scores(report(None))


def test_a_score_under_the_minimum_fails_with_its_reasons() -> None:
    results = {("Calls", "phone"): scores(94, finding="performance: Speed Index 5 s"), ("Calls", "desktop"): scores(95)}
    assert list_failures(results) == [
        "Calls, phone: Performance is 94, under 95. performance: Speed Index 5 s",
    ]
    assert "| Calls | phone | 94 | 100 | 100 |" in format_table(results)


@pytest.fixture
def lighthouse(monkeypatch: pytest.MonkeyPatch) -> list[Scores | AuditFailed]:
    """The results of the next runs, in place of the program."""
    results: list[Scores | AuditFailed] = []

    def run(*_: object) -> Scores:
        result = results.pop(0)
        if isinstance(result, AuditFailed):
            raise result
        return result

    monkeypatch.setattr(audit, "audit", run)
    return results


def repeat(runs: int) -> Scores:
    return audit_repeatedly("http://127.0.0.1/", VARIANTS[0], "", minimum=95, runs=runs)


def test_a_page_is_measured_again_until_its_best_scores_are_high_enough(lighthouse: list[Scores | AuditFailed]) -> None:
    lighthouse += [scores(60), AuditFailed(), scores(97, 100), scores(99)]
    assert repeat(5).values == scores(97).values
    assert lighthouse == [scores(99)]


def test_a_page_that_stays_slow_keeps_its_best_score(lighthouse: list[Scores | AuditFailed]) -> None:
    lighthouse += [scores(60), scores(70, 94), scores(50)]
    assert repeat(3).values == scores(70).values
    assert list_failures({("Calls", "phone"): scores(70)})


def test_a_page_that_no_run_measured_is_an_error(lighthouse: list[Scores | AuditFailed]) -> None:
    lighthouse += [AuditFailed("no trace"), AuditFailed("no trace")]
    with pytest.raises(AuditFailed, match="no trace"):
        repeat(2)


def test_make_installs_lighthouse_where_the_check_looks_for_it() -> None:
    makefile = (ROOT / "Makefile").read_text()
    assert audit.FOLDER == ROOT / ".lighthouse"
    assert "venv .lighthouse/node" in makefile
    assert "--prefix .lighthouse" in makefile
    assert Path("node/bin/node") == audit.NODE.relative_to(audit.FOLDER)
