"""Read the English in a file: docstrings, comments, texts for people, Markdown and templates."""

import ast
import io
import re
import tokenize
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
SKIPPED_FOLDERS = {"__pycache__", "node_modules", "build", "static"}
TRANSLATED = {"N_", "_", "gettext", "lazy_gettext", "ngettext", "lazy_ngettext", "pgettext"}
READ_BY_PEOPLE = {"help", "short_help", "epilog", "description"}

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


def files(paths: Iterable[Path]) -> list[Path]:
    """The Python, Markdown and template files and the catalogues at or below these paths."""
    found: set[Path] = set()
    for path in paths:
        found.update(_below(path) if path.is_dir() else [path])
    return sorted(found)


def texts(path: Path, source: str) -> list[Text]:
    """The English in a file, in the order of its lines. A catalogue has none that is not in the code."""
    if path.suffix == ".po":
        return []
    if path.suffix == ".py":
        found = [*_python_texts(path, source), *_comments(path, source)]
        return sorted(found, key=lambda text: text.line)
    return [*_markdown_texts(path, source)] if path.suffix == ".md" else [*_template_texts(path, source)]


def sentences(value: str) -> Iterator[tuple[int, str]]:
    """The sentences of a text, each with its position, without quotation marks and bullets before it."""
    start = 0
    for end in [*(match.start() for match in BOUNDARY.finditer(value)), len(value)]:
        sentence = value[start:end]
        begin = len(sentence) - len(sentence.lstrip(LEADING + ".!?"))
        if sentence[begin:]:
            yield start + begin, sentence[begin:].rstrip()
        start = end


def without_code(value: str) -> str:
    return LINK_TARGET.sub(_blank, CODE.sub(_blank, value))


def _blank(match: re.Match[str]) -> str:
    """Zeros of the same length and lines, so that positions stay and no other word begins the sentence."""
    return re.sub(r"[^\n]", "0", match[0])


def _python_texts(path: Path, source: str) -> Iterator[Text]:
    tree = ast.parse(source)
    for docstring in docstrings(tree):
        yield Text(path, docstring.lineno, literal(docstring), is_prose=True, last_line=docstring.end_lineno or 0)
    for node in ast.walk(tree):
        for part in _parts_for_people(node):
            if value := literal(part):
                yield Text(path, part.lineno, value, last_line=part.end_lineno or 0)


def docstrings(tree: ast.Module) -> Iterator[ast.Constant]:
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


def literal(node: ast.expr) -> str:
    """The text of a string or an f-string, with {} for each value; empty for anything else."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    parts = node.values if isinstance(node, ast.JoinedStr) else []
    return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in parts)


def comment_tokens(source: str) -> list[tokenize.TokenInfo]:
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return [token for token in tokens if token.type == tokenize.COMMENT and not DIRECTIVE.match(token.string)]


def _comments(path: Path, source: str) -> Iterator[Text]:
    """Comments; those on lines of their own that follow each other are one text."""
    block: list[tokenize.TokenInfo] = []
    for token in comment_tokens(source):
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
    for match in [*BLOCK_END.finditer(without_code(source)), None]:
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


def _below(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        inside = path.relative_to(folder).parts
        if any(part in SKIPPED_FOLDERS or part.startswith(".") for part in inside[:-1]):
            continue
        is_template = "templates" in path.parts and path.suffix in {".html", ".txt"}
        if path.suffix in {".py", ".md", ".po"} or is_template:
            yield path
