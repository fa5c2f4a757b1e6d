"""The rules: sentence openings, banned words, names of concurrency limits, log events, commit subjects."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tools.check_language.hindi import rejected_words
from tools.check_language.reading import ROOT, Text, literal, sentences, texts, without_code

LONGEST_SUBJECT = 72
EXEMPT = "language: ok"

OPENING = re.compile(
    r"(?:What|Who|Whoever|Whom|Whose|Where|Whether)\b(?!-)|"
    # "That call is ..." is plain English. The pronoun and the conjunction are not.
    r"That(?:'s\b|\s+(?:is|was|are|were|has|had|does|did|can|could|may|must|will|would|"
    r"it|they|he|she|we|you|there|this|the|an?|no|nothing|nobody|one|every|each|all|which)\b)"
)

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

PART = r"[a-z][a-z0-9/_.-]+"
SUBJECT = re.compile(rf"{PART}(?:, {PART})*: (?P<first>\S+).*")
ENDINGS = ("ed", "ing")
VERBS = {"bring", "embed", "exceed", "feed", "need", "ping", "proceed", "seed", "shed", "speed", "string"}
"""Imperatives that end like a past tense or a gerund."""


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


def problems(path: Path, source: str) -> list[Problem]:
    """The broken rules of a file, except those of exempt lines."""
    found = [problem for text in texts(path, source) for problem in _of_text(text)]
    found += [Problem(path, line, f"Hindi word, say {chosen}", word) for line, word, chosen in rejected_words(source)]
    if path.suffix == ".py":
        found += _of_code(path, ast.parse(source))
    lines = source.splitlines()
    exempt = {number for number, line in enumerate(lines, 1) if EXEMPT in line}
    kept = [each for each in found if not exempt & {each.line, each.last_line}]
    return sorted(kept, key=lambda problem: (problem.line, problem.rule, problem.text))


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


def _of_text(text: Text) -> Iterator[Problem]:
    value = without_code(text.value)
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
    event = literal(call.args[0]) if call.args else ""
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


def _short(text: str, longest: int = 100) -> str:
    line = " ".join(text.split())
    return line if len(line) <= longest else line[: longest - 3] + "..."


def _shown(path: Path) -> str:
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)
