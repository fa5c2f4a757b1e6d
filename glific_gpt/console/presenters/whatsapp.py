"""WhatsApp messages as HTML: the text is escaped first, then WhatsApp's formatting marks become tags."""

import re
from collections.abc import Iterator

from markupsafe import Markup, escape

MARK_TAGS = {"*": "b", "_": "i", "~": "s"}

_CODE = re.compile(r"```(.+?)```|`([^`\n]+)`", re.DOTALL)
_WORD = r"[^\W_]"
# Escaped, because marks are converted after the text was made HTML.
_QUOTE = "&gt; "
_BULLET = re.compile(r"^(\s*)[-*] ")


def render_message(message: str) -> Markup:
    """Convert a message to HTML. It is escaped before anything else, so that the only tags are ours."""
    return Markup("".join(_parts(str(escape(message)))))  # noqa: S704


def _parts(text: str) -> Iterator[str]:
    """Yield code unchanged, and the text between it with its marks converted."""
    end = 0
    for match in _CODE.finditer(text):
        yield _convert_lines(text[end : match.start()])
        yield f"<code>{(match[1] or match[2]).strip()}</code>"
        end = match.end()
    yield _convert_lines(text[end:])


def _convert_lines(text: str) -> str:
    return "\n".join(map(_convert_line, text.split("\n")))


def _convert_line(line: str) -> str:
    if line.startswith(_QUOTE):
        return f'<span class="wa-quote">{_convert_marks(line.removeprefix(_QUOTE))}</span>'
    return _convert_marks(_BULLET.sub(r"\1• ", line))


def _convert_marks(text: str, marks: str = "*_~") -> str:
    """Convert marks to tags. A mark touches its text inside, no word outside, and does not nest in itself."""
    if not marks:
        return text

    def to_tag(match: re.Match[str]) -> str:
        name = MARK_TAGS[match[1]]
        return f"<{name}>{_convert_marks(match[2], marks.replace(match[1], ''))}</{name}>"

    return re.sub(rf"(?<!{_WORD})([{marks}])(?!\1)(?=\S)(.*?\S)\1(?!{_WORD})", to_tag, text)
