"""Take the definitions of links by reference out of a text: `[WHO][1]` with `[1]: https://who.int` in another line."""

import re

from markdown_it.common.utils import normalizeReference

_DEFINITION = re.compile(
    r"^[ ]{0,3}\[(?P<label>[^\]\[\n]{1,100})\]:[ \t]*<?(?P<url>(?:https?://|www\.|mailto:|tel:)[^\s<>]+)>?"
    r"""(?:[ \t]+(?:"[^"\n]*"|'[^'\n]*'|\([^)\n]*\)))?[ \t]*$\n?""",
    re.MULTILINE,
)


def take_references(text: str) -> tuple[str, dict[str, str]]:
    """Return the text without the definitions that it uses, and their addresses by label.

    A number in brackets is no link (`[1]` may be a citation), unless it follows the text of a link (`[WHO][1]`).
    """
    if "]:" not in text:
        return text, {}
    references: dict[str, str] = {}
    others = _DEFINITION.sub("", text).upper()

    def take(match: re.Match[str]) -> str:
        label = match["label"]
        used = (f"][{label}]", f"[{label}][]") if label.strip().isdigit() else (f"[{label}]",)
        if not any(form.upper() in others for form in used):
            return match[0]
        references.setdefault(normalizeReference(label), match["url"])
        return ""

    text = _DEFINITION.sub(take, text)
    return text.strip("\n"), references
