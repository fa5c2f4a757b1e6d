"""A WhatsApp message as the phone shows it: its marks turned into markup, everything else escaped first."""

import re
from collections.abc import Iterator

from markupsafe import Markup, escape

MARK_TAGS = {"*": "b", "_": "i", "~": "s"}

_CODE = re.compile(r"```(.+?)```|`([^`\n]+)`", re.DOTALL)
_WORD = r"[^\W_]"
_QUOTE = "&gt; "
_BULLET = re.compile(r"^(\s*)[-*] ")


def render_message(message: str) -> Markup:
    """Escaped before anything else is done, so that the only markup in it is ours."""
    return Markup("".join(_parts(str(escape(message)))))  # noqa: S704


def _parts(text: str) -> Iterator[str]:
    """Code as it stands, and what is between with its marks."""
    end = 0
    for found in _CODE.finditer(text):
        yield _lines(text[end : found.start()])
        yield f"<code>{(found[1] or found[2]).strip()}</code>"
        end = found.end()
    yield _lines(text[end:])


def _lines(text: str) -> str:
    return "\n".join(map(_line, text.split("\n")))


def _line(line: str) -> str:
    if line.startswith(_QUOTE):
        return f'<span class="wa-quote">{_marked(line.removeprefix(_QUOTE))}</span>'
    return _marked(_BULLET.sub(r"\1• ", line))


def _marked(text: str, marks: str = "*_~") -> str:
    """A mark touches its text on the inside and no word on the outside; inside itself it means nothing."""
    if not marks:
        return text

    def tag(found: re.Match[str]) -> str:
        name = MARK_TAGS[found[1]]
        return f"<{name}>{_marked(found[2], marks.replace(found[1], ''))}</{name}>"

    return re.sub(rf"(?<!{_WORD})([{marks}])(?!\1)(?=\S)(.*?\S)\1(?!{_WORD})", tag, text)
