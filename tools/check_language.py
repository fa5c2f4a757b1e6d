#!/usr/bin/env python3
"""Check that docstrings, comments, texts, documents and commit subjects are plain English.

`tools/check_language.py [PATH ...]` prints `file:line: rule: text` for each problem, and exits with 1 when there
is one. `--report` prints measures instead. `--commits RANGE` checks commit subjects. A line that must break a rule has
the comment `# language: ok`, or `<!-- language: ok -->` in Markdown and templates.
"""

import argparse
import ast
import io
import re
import subprocess
import sys
import tokenize
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
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
PACKAGE = "glific_gpt"
SKIPPED_FOLDERS = {"__pycache__", "node_modules", "build", "static"}
SMALL_FILE_LINES = 30
LONGEST_SUBJECT = 72
EXEMPT = "language: ok"

OPENING = re.compile(
    r"(?:What|Who|Whoever|Whom|Whose|Where|Whether)\b(?!-)|"
    # "That call is ..." is plain English. The pronoun and the conjunction are not.
    r"That(?:'s\b|\s+(?:is|was|are|were|has|had|does|did|can|could|may|must|will|would|"
    r"it|they|he|she|we|you|there|this|the|an?|no|nothing|nobody|one|every|each|all|which)\b)"
)
WHO = re.compile(r"\b(?:who|whom|whose|whoever)\b", re.IGNORECASE)

BANNED = {
    "whoever": "name the person or the thing: the caller, the thread",
    "whom": "name the person, or write two sentences",
    "(?:somebody|someone|anybody) else(?:'s)?": "name it: another organization, a third party",
    "anybody": "anyone, or name the person",
    "nobody thought of": "unexpected",
    "vouch(?:es|ed)?": "trust, verify",
    "houses?": "codebase, test server",
    "rooms?(?! for)": "package",
    "floors?": "layer",
    "nouns?": "domain module",
    "doors?": "entry point",
    "deeds?": "audit entry, action",
    "wish(?:es)?": "specification",
    "stor(?:y|ies)": "timeline",
    "patience|patient|patiently": "time-out, retry",
    "crowds?": "concurrency limit, rate limit",
    "(?:its|their|whose) turns?": "slot",
    "looked after": "monitored",
    r"no more(?=\s*(?:[.,;:)]|$))": "not ... any more",
    "counts? (?:from|on) the": "applies from the",
    "anew": "again",
    "(?:be|is|are|was|were) had": "is available, is received",
    "mend(?:s|ed|ing)?": "fix",
    "(?:is|are) to mind|be minded": "warning",
    "goes on": "continues",
    "put(?:s|ting)? off": "reschedule, postpone",
    "told apart": "distinguished",
    "let(?:s|ting)?(?: [a-z]+)? in(?=[.,;:)]|$| by| with| when| without)": "authenticate, admit",
    "ways? in(?=[.,;:)]|$| and)": "authentication method, entry point",
    "outlast(?:s|ed|ing)?": "exceed, run longer than",
    "but for": "except",
    "how it fares": "status",
    "see[sn]? to it": "ensure",
    "speaks? of": "mention",
}
"""A wrong expression, as a regular expression of whole words, and the better one."""

WORDS = [
    (re.compile(rf"\b(?:{wrong})(?!\w)".replace(" ", r"\s+"), re.IGNORECASE), better)
    for wrong, better in BANNED.items()
]
CONCURRENCY_NAME = re.compile(r"(?:^|_)at_once(?:_|$)", re.IGNORECASE)

TRANSLATED = {"N_", "_", "gettext", "lazy_gettext", "ngettext", "lazy_ngettext", "pgettext"}
READ_BY_PEOPLE = {"help", "short_help", "epilog", "description"}
LOGGERS = {"log", "logger"}
LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}
EVENT = re.compile(r"(?!not_)[a-z]+(?:_[a-z]+)+")
STATES = {
    "begun",
    "busy",
    "full",
    "held",
    "late",
    "lost",
    "missing",
    "ready",
    "sent",
    "stuck",
    "unavailable",
    "unreadable",
}
"""Last words of a log event that are a state, or a past tense without -ed."""

SUBJECT = re.compile(r"[a-z][a-z0-9 ,/_.-]*: (?P<first>\S+).*")
ENDINGS = ("ed", "ing")
VERBS = {"bring", "embed", "exceed", "feed", "need", "ping", "proceed", "seed", "shed", "speed", "string"}
"""Imperatives that end like a past tense or a gerund."""

FENCE = re.compile(r"^(```|~~~).*?^\1[^\n]*$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`\n]+`")
LINK_TARGET = re.compile(r"(?<=\])\([^)\n]*\)")
BLOCK_END = re.compile(r"\n[ \t]*\n|\n(?=[ \t]*(?:[-*+>#|][ \t]|\||#|\d+[.)][ \t]))|(?<=[^\n\\])\|")
MARK = re.compile(r"^[ \t]*(?:>[ \t]*)*(?:[-*+][ \t]+|\d+[.)][ \t]+|#+[ \t]+|\|)", re.MULTILINE)
IN_TEMPLATE = re.compile(
    r"""\b(?:n?gettext|_)\(\s*(?P<quote>["'])(?P<text>.*?)(?<!\\)(?P=quote)|"""
    r"\{%-?\s*trans\b[^%]*%\}(?P<block>.*?)\{%-?\s*endtrans",
    re.DOTALL,
)
DIRECTIVE = re.compile(r"#\s*(?:noqa|type:|pragma|!|language:)")
BOUNDARY = re.compile(
    r"(?<=[.!?])[\"')\]*_]*\s+(?=[\"'(\[*_]*[A-Z0])|\n[ \t]*\n|\n(?=[ \t]*(?:[-*][ \t]|\d+[.)][ \t]))"
)
LEADING = " \t\n\"'([*_-|"
WORD = re.compile(r"[A-Za-z][A-Za-z'-]*")


@dataclass(frozen=True)
class Text:
    """A piece of English in a file."""

    path: Path
    line: int
    value: str
    is_prose: bool = False
    """True for a docstring and for a comment: the measures count these."""
    last_line: int = 0
    """The line on which an exemption may stand, when it is not the line of the problem."""

    def line_at(self, position: int) -> int:
        return self.line + self.value.count("\n", 0, position)


@dataclass(frozen=True)
class Problem:
    """One broken rule."""

    path: Path
    line: int
    rule: str
    text: str
    last_line: int = 0

    def __str__(self) -> str:
        return f"{_shown(self.path)}:{self.line}: {self.rule}: {self.text}"


def files(paths: Iterable[Path]) -> list[Path]:
    """The Python, Markdown and template files at or below these paths."""
    found: set[Path] = set()
    for path in paths:
        found.update(_below(path) if path.is_dir() else [path])
    return sorted(found)


def texts(path: Path, source: str) -> list[Text]:
    """The English in a file, in the order of its lines."""
    if path.suffix == ".py":
        found = [*_python_texts(path, source), *_comments(path, source)]
        return sorted(found, key=lambda text: text.line)
    return [*_markdown_texts(path, source)] if path.suffix == ".md" else [*_template_texts(path, source)]


def problems(path: Path, source: str) -> list[Problem]:
    """The broken rules of a file, except those of exempt lines."""
    found = [problem for text in texts(path, source) for problem in _of_text(text)]
    if path.suffix == ".py":
        found += _of_code(path, ast.parse(source))
    lines = source.splitlines()
    exempt = {number for number, line in enumerate(lines, 1) if EXEMPT in line}
    kept = [each for each in found if not exempt & {each.line, each.last_line}]
    return sorted(kept, key=lambda problem: (problem.line, problem.rule, problem.text))


def sentences(value: str) -> Iterator[tuple[int, str]]:
    """The sentences of a text, each with its position, without quotation marks and bullets before it."""
    start = 0
    for end in [*(match.start() for match in BOUNDARY.finditer(value)), len(value)]:
        sentence = value[start:end]
        begin = len(sentence) - len(sentence.lstrip(LEADING + ".!?"))
        if sentence[begin:]:
            yield start + begin, sentence[begin:].rstrip()
        start = end


def openings(value: str) -> Iterator[tuple[int, str]]:
    """The sentences that begin with a question word or a pronoun and are no question, each with its position."""
    for position, sentence in sentences(value):
        if OPENING.match(sentence) and not sentence.rstrip("\"')]*_|").endswith("?"):
            yield position, sentence


def subject_problems(subject: str) -> list[str]:
    """The rules that a commit subject breaks."""
    found = []
    if len(subject) > LONGEST_SUBJECT:
        found.append(f"over {LONGEST_SUBJECT} characters")
    if subject.endswith("."):
        found.append("full stop at the end")
    match = SUBJECT.fullmatch(subject)
    if match is None:
        return [*found, "no part before it, as in `calls: batch the writes`"]
    first = match["first"].lower().strip(",;:")
    if first.endswith(ENDINGS) and first not in VERBS:
        found.append(f"not imperative: {first}")
    return found


def report(paths: Sequence[Path]) -> list[tuple[str, str]]:
    """Measures of the prose below these paths, and of the package."""
    sources = [(path, path.read_text(encoding="utf-8")) for path in files(paths) if path.suffix == ".py"]
    prose = [_without_code(text.value) for path, source in sources for text in texts(path, source) if text.is_prose]
    words = sum(len(WORD.findall(value)) for value in prose)
    opening = sum(1 for value in prose for _ in openings(value))
    who = sum(len(WHO.findall(value)) for value in prose)
    comments = sum(len(_comment_tokens(source)) for _, source in sources)
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
        return _print_report(report(paths))
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


def _of_text(text: Text) -> Iterator[Problem]:
    value = _without_code(text.value)
    for position, sentence in openings(value):
        yield _problem(text, position, "sentence opening", text.value[position : position + len(sentence)])
    for wrong, better in WORDS:
        for match in wrong.finditer(value):
            rule = f"'{' '.join(match[0].split())}', write {better}"
            yield _problem(text, match.start(), rule, _sentence_around(text.value, match.start()))


def _sentence_around(value: str, position: int) -> str:
    found = [sentence for start, sentence in sentences(value) if start <= position]
    return found[-1] if found else value


def _problem(text: Text, position: int, rule: str, shown: str) -> Problem:
    return Problem(text.path, text.line_at(position), rule, _short(shown), text.last_line)


def _of_code(path: Path, tree: ast.Module) -> Iterator[Problem]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from _of_log_event(path, node)
        name = _defined_name(node)
        if name and CONCURRENCY_NAME.search(name):
            line = getattr(node, "lineno", 1)
            yield Problem(path, line, "name, write max_concurrent, ConcurrencyLimit or immediately", name)


def _of_log_event(path: Path, call: ast.Call) -> Iterator[Problem]:
    function = call.func
    if not (isinstance(function, ast.Attribute) and function.attr in LEVELS and isinstance(function.value, ast.Name)):
        return
    event = _literal(call.args[0]) if call.args else ""
    if function.value.id not in LOGGERS or not event:
        return
    last = event.rpartition("_")[2]
    if not EVENT.fullmatch(event) or not (last.endswith("ed") or last in STATES):
        yield Problem(path, call.lineno, "log event, write noun_verb in the past tense, or a state", event)


def _defined_name(node: ast.AST) -> str:
    """The name where it is defined: an assignment, a parameter, a function, a class."""
    if isinstance(node, ast.Name):
        return node.id if isinstance(node.ctx, ast.Store) else ""
    if isinstance(node, ast.Attribute):
        return node.attr if isinstance(node.ctx, ast.Store) else ""
    if isinstance(node, ast.arg):
        return node.arg
    return node.name if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) else ""


def _python_texts(path: Path, source: str) -> Iterator[Text]:
    tree = ast.parse(source)
    for docstring in _docstrings(tree):
        yield Text(path, docstring.lineno, _literal(docstring), is_prose=True, last_line=docstring.end_lineno or 0)
    for node in ast.walk(tree):
        for part in _parts_for_people(node):
            if value := _literal(part):
                yield Text(path, part.lineno, value, last_line=part.end_lineno or 0)


def _docstrings(tree: ast.Module) -> Iterator[ast.Constant]:
    """The strings that stand alone: docstrings, also those of attributes."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield node.value


def _parts_for_people(node: ast.AST) -> Iterator[ast.expr]:
    """The arguments with texts that people read: translated ones, help, descriptions, sentences of errors."""
    if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
        yield from (part for part in node.exc.args if not isinstance(part, ast.Call))
    if isinstance(node, ast.Call):
        if _name(node.func) in TRANSLATED:
            yield from node.args
        yield from (keyword.value for keyword in node.keywords if keyword.arg in READ_BY_PEOPLE)


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _literal(node: ast.expr) -> str:
    """The text of a string or an f-string, with {} for each value; empty for anything else."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    parts = node.values if isinstance(node, ast.JoinedStr) else []
    return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in parts)


def _comment_tokens(source: str) -> list[tokenize.TokenInfo]:
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return [token for token in tokens if token.type == tokenize.COMMENT and not DIRECTIVE.match(token.string)]


def _comments(path: Path, source: str) -> Iterator[Text]:
    """Comments; those on lines of their own that follow each other are one text."""
    block: list[tokenize.TokenInfo] = []
    for token in _comment_tokens(source):
        if block and not _continues(block[-1], token):
            yield _comment(path, block)
            block = []
        block.append(token)
    if block:
        yield _comment(path, block)


def _continues(before: tokenize.TokenInfo, token: tokenize.TokenInfo) -> bool:
    (line, column), (following, its_column) = before.start, token.start
    own_lines = not before.line[:column].strip() and not token.line[:its_column].strip()
    return own_lines and following == line + 1 and its_column == column


def _comment(path: Path, block: list[tokenize.TokenInfo]) -> Text:
    value = "\n".join(token.string.lstrip("#:").strip() for token in block)
    return Text(path, block[0].start[0], value, is_prose=True, last_line=block[-1].start[0])


def _markdown_texts(path: Path, source: str) -> Iterator[Text]:
    """The paragraphs, list items, headings and cells, without blocks of code."""
    source = FENCE.sub(_blank, source)
    start = 0
    for match in [*BLOCK_END.finditer(_without_code(source)), None]:
        end = match.start() if match else len(source)
        yield from _markdown_text(path, source, start, end)
        start = match.end() if match else end


def _markdown_text(path: Path, source: str, start: int, end: int) -> Iterator[Text]:
    mark = MARK.match(source[start:end])
    start += mark.end() if mark else 0
    value = source[start:end]
    start += len(value) - len(value.lstrip())
    if WORD.search(value):
        yield Text(path, source.count("\n", 0, start) + 1, value.strip())


def _template_texts(path: Path, source: str) -> Iterator[Text]:
    for match in IN_TEMPLATE.finditer(source):
        group = "text" if match["text"] is not None else "block"
        line = source.count("\n", 0, match.start(group)) + 1
        yield Text(path, line, match[group])


def _without_code(value: str) -> str:
    return LINK_TARGET.sub(_blank, CODE.sub(_blank, value))


def _blank(match: re.Match[str]) -> str:
    """Zeros of the same length and lines, so that positions stay and no other word begins the sentence."""
    return re.sub(r"[^\n]", "0", match[0])


def _code_lines(source: str) -> int:
    """Lines with a token that is neither a comment nor a docstring."""
    prose: set[int] = set()
    for docstring in _docstrings(ast.parse(source)):
        prose.update(range(docstring.lineno, (docstring.end_lineno or docstring.lineno) + 1))
    code = (number for number, line in enumerate(source.splitlines(), 1) if line.strip() and line.lstrip()[0] != "#")
    return sum(1 for number in code if number not in prose)


def _top_level(package: Path) -> list[Path]:
    return [path for path in package.iterdir() if path.name != "__pycache__" and not path.name.startswith(".")]


def _below(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        inside = path.relative_to(folder).parts
        if any(part in SKIPPED_FOLDERS or part.startswith(".") for part in inside[:-1]):
            continue
        is_template = "templates" in path.parts and path.suffix in {".html", ".txt"}
        if path.suffix in {".py", ".md"} or is_template:
            yield path


def _line_count(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def _per(count: int, whole: int, unit: int) -> float:
    return count * unit / whole if whole else 0.0


def _short(text: str, longest: int = 100) -> str:
    line = " ".join(text.split())
    return line if len(line) <= longest else line[: longest - 3] + "..."


def _shown(path: Path) -> str:
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


if __name__ == "__main__":
    sys.exit(main())
