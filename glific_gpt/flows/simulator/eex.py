"""Evaluate a text with code between `<%` and `%>` (Elixir: EEx; glific/glific: Glific.execute_eex)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

from glific_gpt.flows.simulator.elixir import evaluate
from glific_gpt.flows.simulator.elixir_functions import is_truthy, value_to_text
from glific_gpt.flows.simulator.elixir_parser import parse_block_start, parse_code
from glific_gpt.flows.simulator.elixir_tree import InvalidCode, UnsupportedCode
from glific_gpt.flows.suspicious_code import find_suspicious_code

INVALID_CODE = "Invalid Code"
"""Glific replaces the whole text by this if any of its code fails."""
SUSPICIOUS_PREFIX = "Suspicious Code. Please change your code. "
"""Glific writes this before a text in which its check finds suspicious code."""

MAX_NESTED_BLOCKS = 20

_TAG = re.compile(r"<%([=#%|/]?)(.*?)%>", re.DOTALL)
_ELSE = re.compile(r"\s*else\s*")
_END = re.compile(r"\s*end\s*")


class EvaluationStatus(Enum):
    """How the evaluation of a text ended."""

    OK = auto()
    INVALID = auto()
    """Glific replaces the text by INVALID_CODE."""
    SUSPICIOUS = auto()
    """Glific's check stops the text, which may have no code at all."""
    UNSUPPORTED = auto()
    """The result in Glific is not known. The text is unchanged."""


@dataclass(frozen=True)
class Evaluation:
    """A text after its code was evaluated."""

    text: str
    status: EvaluationStatus = EvaluationStatus.OK

    @property
    def is_valid(self) -> bool:
        return self.status is EvaluationStatus.OK


def evaluate_code(content: str) -> Evaluation:
    """Return the text, stripped, with its code replaced by the results."""
    # The check applies to the whole text, with code or without.
    if find_suspicious_code(content):
        return Evaluation(SUSPICIOUS_PREFIX + content, EvaluationStatus.SUSPICIOUS)
    if "<%" not in content:
        return Evaluation(content.strip())
    try:
        return Evaluation(_render(content).strip())
    except InvalidCode:
        return Evaluation(INVALID_CODE, EvaluationStatus.INVALID)
    except UnsupportedCode:
        return Evaluation(content.strip(), EvaluationStatus.UNSUPPORTED)


@dataclass(frozen=True)
class _Tag:
    marker: str
    code: str


_Part = str | _Tag


def _render(content: str) -> str:
    # After the last end there is no code. From each beginning there, the search would read to the end of the text.
    end = content.rfind("%>") + 2 if "%>" in content else 0
    if "<%" in content[end:]:
        raise InvalidCode
    parts = [*_split(content[:end]), content[end:]]
    text, rest = _render_parts(parts, 0, is_shown=True, depth=0)
    if rest != len(parts):
        raise InvalidCode  # an `else` or `end` without its beginning
    return text


def _split(code: str) -> Iterator[_Part]:
    at = 0
    for match in _TAG.finditer(code):
        yield code[at : match.start()]
        yield _Tag(match[1], match[2])
        at = match.end()
    yield code[at:]


def _render_parts(parts: list[_Part], at: int, *, is_shown: bool, depth: int) -> tuple[str, int]:
    """Render until the end, or an `else` or `end` of the block. Return the text, and the position of that part.

    Code that is not shown is parsed too, because Elixir compiles it.
    """
    if depth > MAX_NESTED_BLOCKS:
        raise UnsupportedCode
    rendered: list[str] = []
    while at < len(parts):
        part = parts[at]
        if isinstance(part, str):
            rendered.append(part)
        elif part.marker == "%":
            rendered.append(f"<%{part.code}%>")
        elif part.marker in ("|", "/"):
            raise UnsupportedCode
        elif part.marker != "#":
            if _ELSE.fullmatch(part.code) or _END.fullmatch(part.code):
                break
            text, at = _render_tag(parts, at, part, is_shown=is_shown, depth=depth)
            rendered.append(text)
        at += 1
    return "".join(rendered), at


def _render_tag(parts: list[_Part], at: int, tag: _Tag, *, is_shown: bool, depth: int) -> tuple[str, int]:
    """Render a tag, with its block if it begins one. Return the text, and the position of the last part."""
    block = parse_block_start(tag.code)
    if block is None:
        expression = parse_code(tag.code)
        value = evaluate(expression) if is_shown else None
        return (value_to_text(value) if tag.marker == "=" else ""), at
    is_true = is_shown and is_truthy(evaluate(block.operands[0])) is (block.name == "if")
    yes, at = _render_parts(parts, at + 1, is_shown=is_true, depth=depth + 1)
    no = ""
    if _is_word(parts, at, _ELSE):
        no, at = _render_parts(parts, at + 1, is_shown=is_shown and not is_true, depth=depth + 1)
    if not _is_word(parts, at, _END):
        raise InvalidCode
    return (yes if is_true else no) if tag.marker == "=" else "", at


def _is_word(parts: list[_Part], at: int, word: re.Pattern[str]) -> bool:
    part = parts[at] if at < len(parts) else ""
    return isinstance(part, _Tag) and word.fullmatch(part.code) is not None
