"""The command `python -m tools.check_language [PATH ...]`.

It prints `file:line: rule: text` for each problem, and exits with 1 when there is one. `--report` prints measures
instead. `--commits RANGE` checks commit subjects. A line that must break a rule has the comment `# language: ok`, or
`<!-- language: ok -->` in Markdown and templates.
"""

import argparse
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from tools.check_language.reading import ROOT, files
from tools.check_language.report import measure
from tools.check_language.rules import problems, subject_problems

PATHS = (
    "glific_gpt",
    "tests",
    "benchmarks",
    "migrations",
    "tools",
    "config.py",
    "wsgi.py",
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "SECURITY.md",
    "docs",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 1 when a rule is broken."""
    parser = argparse.ArgumentParser(description="Check that the project is written in plain English.")
    parser.add_argument("paths", nargs="*", type=Path, help="files or folders; without any, the whole project")
    parser.add_argument("--report", action="store_true", help="print measures, and check nothing")
    parser.add_argument("--commits", metavar="RANGE", help="check the commit subjects of a range, such as main..HEAD")
    given = parser.parse_args(arguments)
    if given.commits:
        return _print_all(_of_commits(given.commits))
    paths = given.paths or [ROOT / path for path in PATHS]
    if missing := [str(path) for path in paths if not path.exists()]:
        parser.error(f"no such file or folder: {', '.join(missing)}")
    if given.report:
        return _print_report(measure(paths))
    return _print_all(problem for path in files(paths) for problem in problems(path, path.read_text(encoding="utf-8")))


def _print_report(measures: list[tuple[str, str]]) -> int:
    width = max(len(name) for name, _ in measures)
    for name, value in measures:
        print(f"{name:<{width}}  {value:>9}")
    return 0


def _print_all(found: Iterable[object]) -> int:
    count = 0
    for count, each in enumerate(found, 1):  # noqa: B007 - the count is needed after the loop
        print(each)
    if count:
        print(f"{count} problems", file=sys.stderr)
    return 1 if count else 0


def _of_commits(revisions: str) -> Iterator[str]:
    command = ["git", "-C", str(ROOT), "log", "--no-merges", "--format=%h %s", revisions, "--"]
    result = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 - git, as it is installed
    if result.returncode:
        sys.exit(f"Error: git cannot read these commits: {revisions}")
    for line in result.stdout.splitlines():
        commit, _, subject = line.partition(" ")
        for rule in subject_problems(subject):
            yield f"{commit}: {rule}: {subject}"


if __name__ == "__main__":
    sys.exit(main())
