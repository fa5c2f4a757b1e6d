"""Remove from a model's answer what is not for people: thinking, marks of sources, a code fence around all of it."""

import re
from collections.abc import Iterator, Sequence

_NAMES = "think|thinking|thought|thoughts|reasoning|reflection|scratchpad|analysis|chain_of_thought|inner_monologue"
_THINKING = re.compile(rf"(?<![`\w])(?:<({_NAMES})>|\[(THINK)\]|(◁)think▷)", re.IGNORECASE)
_THINKING_END = re.compile(rf"</(?:{_NAMES})>|\[/THINK\]|◁/think▷", re.IGNORECASE)
_TAG_STARTS = ("<", "[", "◁")
SLICE_CHARACTERS = 16 * 1024
"""Characters of an answer that are searched at once. Python runs no other thread meanwhile."""
_MAX_TAG_CHARACTERS = 32
_ANSWER = re.compile(r"\s*<(answer|final|final_answer|response|output|result)>(.*)</\1>\s*", re.IGNORECASE | re.DOTALL)
_CHANNEL = re.compile(r"<\|channel\|>\w*(?:<\|constrain\|>\w*)?<\|message\|>")
_SPECIAL_TOKEN = re.compile(r"<\|[a-z_]{1,30}\|>|</?s>(?=\s*\Z)")

_FILE_SOURCE = r"【[^【】†\n]{0,200}+†[^【】\n]{0,300}+】"
_HIDDEN_SOURCE = r"\ue200(?!url\ue202|entity\ue202)[^\ue200\ue201\n]{0,500}(?:\ue201|(?=\n)|\Z)"
_BARE_SOURCE = r"\b(?:file)?cite(?:turn\d{1,3}[a-z]{1,20}\d{1,3})+"
_COPIED_SOURCE = r":contentReference\[oaicite:\d{1,4}\](?:\{index=\d{1,4}\})?"
_SOURCES = re.compile(
    rf"[ \t]?(?>(?:(?:{_FILE_SOURCE}|{_HIDDEN_SOURCE}|{_BARE_SOURCE}|{_COPIED_SOURCE})[ \t\u200b]?)+)"
)
_NEEDS_NO_BLANK = (*".,;:!?।)]|\n\t ",)
_SOURCE_PARTS = ("†", "\ue200", "\ue203", "citeturn", "contentReference")
"""Every mark of a source holds one of these."""
_TITLED = re.compile(r"\ue200(?:url|entity)\ue202([^\ue200\ue201\n]{0,500})\ue201")
_PRIVATE_MARKS = re.compile(r"[\ue200-\ue206]")

_FENCE = re.compile(r"[ ]{0,3}(`{3,}+|~{3,}+)[ ]*([^\s`]*)[^`]*")
_BOLD = re.compile(r"(?<![\w*'\"])\*\*[^\s*][^*\n]{0,200}\*\*(?![\w*'\"])")
_FENCE_LINE = re.compile(r"^[ ]{0,3}(?:`{3,}|~{3,})[ ]*(\S*)", re.MULTILINE)
_MARKDOWN_FENCES = {"markdown", "md", "whatsapp"}
_TEXT_FENCES = {*_MARKDOWN_FENCES, "text", "txt", "plaintext", "plain"}
_PROSE = re.compile(r"\*\*\S|^#{1,6} |^[-*] |^\d+[.)] |[.!?।؟۔](?:\s|$)|[^\x00-\u024f\u2000-\u2fff]", re.MULTILINE)


def clean(answer: str) -> str:
    """Return the answer without thinking, marks of sources, and a fence around Markdown. It may be empty then.

    Sources: OpenAI's file search writes `【4:0†source】`, and ChatGPT's models private characters around
    `cite turn0search0`. Models without a separate channel for their reasoning write it between tags.
    """
    return remove_marks(remove_thinking(answer))


def remove_marks(answer: str) -> str:
    """Return the answer without marks of sources, and without fences around Markdown."""
    text = remove_sources(answer)
    if (fence := unwrap_fence(text)) and (fence[1] in _TEXT_FENCES or (not fence[1] and _PROSE.search(fence[0]))):
        text = fence[0]
    if "```" not in text and "~~~" not in text:
        return text
    return "\n".join(_without_fences_of_messages(text.split("\n")))


def _without_fences_of_messages(lines: Sequence[str]) -> Iterator[str]:
    """Yield lines without the fences around Markdown: named so, or without a name and with bold text."""
    at = 0
    while at < len(lines):
        opening = _FENCE.fullmatch(lines[at])
        if not opening:
            yield lines[at]
            at += 1
            continue
        mark, name = opening[1], opening[2].lower()
        closing = (line for line in range(at + 1, len(lines)) if lines[line].strip() == mark)
        end = next(closing, len(lines))
        content = lines[at + 1 : end]
        is_message = name in _MARKDOWN_FENCES or (not name and end < len(lines) and any(map(_BOLD.search, content)))
        yield from content if is_message else lines[at : end + 1]
        at = end + 1


def remove_thinking(answer: str) -> str:
    """Return what follows the thinking, without a tag such as `<answer>` around all of it.

    A thought that does not end is the end of the answer.
    """
    text = _remove_thoughts(answer)
    if "</" not in text:
        return text
    wrapped = _ANSWER.fullmatch(text)
    has_one_tag = wrapped and f"</{wrapped[1]}>".lower() not in wrapped[2].lower()
    return wrapped[2] if wrapped and has_one_tag else text


def _remove_thoughts(answer: str) -> str:
    text = answer
    if "<|" in text:
        text = _SPECIAL_TOKEN.sub("", _CHANNEL.split(text)[-1])
    has_tag = any(mark in text for mark in _TAG_STARTS)  # the usual answer has none
    if not has_tag or not (_search(_THINKING_END, text) or _search(_THINKING, text)):
        return text
    parts: list[str] = []
    at = 0
    while opening := _search(_THINKING, text, at):
        ending = _search(_THINKING_END, text, opening.end())
        parts.append(text[at : opening.start()])
        at = ending.end() if ending else len(text)
    return _after_lone_ends("".join(parts) + text[at:])


def _after_lone_ends(text: str) -> str:
    """Return what follows the last end of a thought, or the text without these ends if nothing follows.

    Some models write the end alone.
    """
    parts: list[str] = []
    at = 0
    while ending := _search(_THINKING_END, text, at):
        parts.append(text[at : ending.start()])
        at = ending.end()
    last = text[at:]
    return last if last.strip() else "".join(parts) + last


def _search(pattern: re.Pattern[str], text: str, start: int = 0) -> re.Match[str] | None:
    """Search for a tag in one slice of the text after the other."""
    for at in range(start, len(text) + 1, SLICE_CHARACTERS):
        if found := pattern.search(text, at, at + SLICE_CHARACTERS + _MAX_TAG_CHARACTERS):
            return found
    return None


def remove_sources(text: str) -> str:
    """Return the text without the marks of sources of OpenAI's tools."""
    if not any(part in text for part in _SOURCE_PARTS):
        return text
    text = _SOURCES.sub(_blank, _TITLED.sub(_title, text))
    return _PRIVATE_MARKS.sub("", text)


def _blank(match: re.Match[str]) -> str:
    """Return the blank that is left of marks and the blanks around them."""
    following = match.string[match.end() : match.end() + 1]
    has_blank = match[0][0] in " \t" or match[0][-1] in " \t"
    return " " if has_blank and following and following not in _NEEDS_NO_BLANK else ""


def _title(match: re.Match[str]) -> str:
    """Return what is shown of a link or a name with private marks."""
    parts = match[1].split("\ue202")
    if match[0].startswith("\ue200url"):
        return parts[0]
    names = re.findall(r'"([^"]*)"', match[1])
    return names[1] if len(names) > 1 else ""


def unwrap_fence(text: str) -> tuple[str, str] | None:
    """Return the content and the language, in lower case, of a code fence around the whole text."""
    stripped = text.strip()
    if not stripped.startswith(("```", "~~~")):
        return None
    opening, newline, content = stripped.partition("\n")
    mark = opening[: len(opening) - len(opening.lstrip(opening[0]))]
    name = opening[len(mark) :].strip().lower()
    if "`" in name or not newline:
        return None
    inner, _, last = content.rpartition("\n")
    if last.strip() != mark:
        inner = content if content.strip() != mark else ""
    # Between two fences of their own, there is text.
    first_inside = _FENCE_LINE.search(inner)
    return None if first_inside and not first_inside[1] else (inner, name)
