"""Measures of the prose in Python files, and of the package."""

import ast
import re
from collections.abc import Sequence
from pathlib import Path

from tools.check_language.reading import ROOT, WORD, comment_tokens, docstrings, files, texts, without_code
from tools.check_language.rules import openings

PACKAGE = "glific_gpt"
SMALL_FILE_LINES = 30
WHO = re.compile(r"\b(?:who|whom|whose|whoever)\b", re.IGNORECASE)


def measure(paths: Sequence[Path]) -> list[tuple[str, str]]:
    """Measures of the prose below these paths, and of the package."""
    sources = [(path, path.read_text(encoding="utf-8")) for path in files(paths) if path.suffix == ".py"]
    prose = [without_code(text.value) for path, source in sources for text in texts(path, source) if text.is_prose]
    words = sum(len(WORD.findall(value)) for value in prose)
    opening = sum(1 for value in prose for _ in openings(value))
    who = sum(len(WHO.findall(value)) for value in prose)
    comments = sum(len(comment_tokens(source)) for _, source in sources)
    code = sum(_code_lines(source) for _, source in sources)
    package = ROOT / PACKAGE
    small = [path for path in files([package]) if path.suffix == ".py" and _line_count(path) < SMALL_FILE_LINES]
    return [
        ("words in docstrings and comments", f"{words:,}"),
        ("sentence openings (What/Who/Where/Whether/That) per 1,000 words", f"{_per(opening, words, 1000):.1f}"),
        ("who/whom/whose/whoever per 1,000 words", f"{_per(who, words, 1000):.1f}"),
        (f"top-level entries in {PACKAGE}/", str(len(_top_level(package)))),
        (f"files under {SMALL_FILE_LINES} lines in {PACKAGE}/", str(len(small))),
        ("comments per 100 lines of code", f"{_per(comments, code, 100):.1f}"),
    ]


def _code_lines(source: str) -> int:
    """Lines with a token that is neither a comment nor a docstring."""
    prose: set[int] = set()
    for docstring in docstrings(ast.parse(source)):
        prose.update(range(docstring.lineno, (docstring.end_lineno or docstring.lineno) + 1))
    code = (number for number, line in enumerate(source.splitlines(), 1) if line.strip() and line.lstrip()[0] != "#")
    return sum(1 for number in code if number not in prose)


def _top_level(package: Path) -> list[Path]:
    return [path for path in package.iterdir() if path.name != "__pycache__" and not path.name.startswith(".")]


def _line_count(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def _per(count: int, whole: int, unit: int) -> float:
    return count * unit / whole if whole else 0.0
