"""The results of Lighthouse as a table, and the document that has it."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime

from benchmarks import machine
from benchmarks.lighthouse.audit import CATEGORIES, LIGHTHOUSE, Scores
from tests.support.programs import ROOT

DOCUMENT = ROOT / "docs" / "console-quality.md"
MINIMUM = 95

INTRODUCTION = """\
# Quality of the console

`make lighthouse` runs [Lighthouse](https://developer.chrome.com/docs/lighthouse) on the main pages, and writes this \
document. It fails if a score is under {minimum}.

The server runs as in production, with a sample organization of two months of calls. A phone is simulated with a slow \
4G connection and a processor that is four times slower. Scores are out of 100. A page with a \
lower score is measured again, at most {runs} times, and its best score counts: other programs on the machine can only \
lower it.

"""


def list_failures(results: Mapping[tuple[str, str], Scores]) -> list[str]:
    """Return a sentence for each score under the minimum, with the audits that lowered it."""
    return [
        f"{page}, {variant}: {CATEGORIES[name]} is {value}, under {MINIMUM}. "
        + "; ".join(finding for finding in scores.findings if finding.startswith(name))
        for (page, variant), scores in results.items()
        for name, value in scores.values.items()
        if value < MINIMUM
    ]


def format_table(results: Mapping[tuple[str, str], Scores]) -> str:
    """Return a Markdown table with one line for each page and variant."""
    lines = [f"| Page | Opened on | {' | '.join(CATEGORIES.values())} |", f"|---|---|{'---:|' * len(CATEGORIES)}"]
    for (page, variant), scores in results.items():
        numbers = " | ".join(str(scores.values[name]) for name in CATEGORIES)
        lines.append(f"| {page} | {variant} | {numbers} |")
    return "\n".join(lines)


def format_document(results: Mapping[tuple[str, str], Scores], runs: int) -> str:
    version = json.loads((LIGHTHOUSE / "package.json").read_text())["version"]
    measured = f"Measured on {datetime.now(UTC):%Y-%m-%d} with Lighthouse {version}, {machine.describe_machine()}."
    return INTRODUCTION.format(minimum=MINIMUM, runs=runs) + format_table(results) + f"\n\n{measured}\n"
