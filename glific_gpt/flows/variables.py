"""Variables in Glific's texts, such as `@results.question`."""

import re
from collections.abc import Mapping

ROOTS = (
    "contact",
    "results",
    "global",
    "flow",
    "calendar",
    "group",
    "wa_group",
    "staff",
    "parent",
    "child",
    "input",
)
"""First names of variables (glific/glific: MessageVarParser, Webhook, ContactField, ContactAction)."""

UNKNOWN_ROOTS = ("@global.", "@group.", "@wa_group.", "@staff.")
"""Beginnings of variables that only Glific can fill."""

ROOT_PATTERN = rf"(?:{'|'.join(ROOTS)})(?![A-Za-z0-9_\-])"
_VARIABLE = re.compile(rf"(?<!\w)@{ROOT_PATTERN}(?:\.[A-Za-z0-9_\-]+){{1,4}}", re.IGNORECASE)
WORD_BYTES = re.compile(rb"[A-Za-z0-9_\-\xaa\xb5\xba\xc0-\xd6\xd8-\xf6\xf8-\xff]")
"""A byte of a variable's name in Glific, whose regular expression (Erlang's `\\w`) reads UTF-8 as Latin-1.

So it takes the first byte of nearly every letter outside ASCII as a part of the name.
"""
_WHOLE_ROOT = re.compile(rf"@{ROOT_PATTERN}", re.IGNORECASE)


_TEMPLATE_NAMES = re.compile(
    r"""
    @(?: results \. | (?:parent|child) \. (?:results|contact) \.
      | contact \. (?: fields \.
          | (?: name | phone | masked_phone | id | language\w* | gender | settings | status | bsp_status | list_profiles
              | active_profile\w* | in_groups | groups? | opt(?:in|out)_\w+ | last_\w+ | inserted_at ) (?![\w-]) )
      | calendar \. (?: current_\w+ | yesterday | tomorrow ) (?![\w-])
      | (?: flow | staff | group | wa_group ) \. (?: name | id | uuid | label | phone | email | keywords ) (?![\w-]) )
    """,
    re.VERBOSE | re.IGNORECASE,
)
"""Names that templates use. Other variables, such as @global.health, look like the handles that people write."""


def find_unresolved(text: str, *, is_typed: bool = False) -> list[str]:
    """Return the variables that Glific did not replace, without duplicates, in order.

    Glific leaves a variable unchanged if nothing is stored under its name. A bare root counts only if it is the whole
    text, because Glific replaces it only there. An e-mail address (`asha@contact.org`) does not count. In a text that
    people type (`is_typed`), a variable counts only if it is the whole text, or has a name that templates use.
    """
    if "@" not in text:  # the usual case, without the regular expressions
        return []
    whole = text.strip()
    if _WHOLE_ROOT.fullmatch(whole):
        return [whole]
    found = list(dict.fromkeys(_VARIABLE.findall(text)))
    return [name for name in found if not is_typed or name == whole or _TEMPLATE_NAMES.match(name)]


def find_joined(text: str) -> list[str]:
    """Return the variables directly before a letter, sign or emoji that Glific reads as part of their names, in order.

    Glific does not fill `@contact.name` in `@contact.nameजी`. A blank between them cures it. Takes linear time.
    """
    if "@" not in text or text.isascii():
        return []
    # A variable at the very end of the text is followed by nothing.
    found = (match[0] for match in _VARIABLE.finditer(text) if _continues_name(text[match.end() : match.end() + 1]))
    return list(dict.fromkeys(found))


def _continues_name(character: str) -> bool:
    first_byte = character.encode("utf-8", "replace")[:1]
    return not character.isascii() and WORD_BYTES.match(first_byte) is not None


MAX_DEFAULTS = 100
"""Variables that a body may have defaults for."""


def fill_defaults(text: str, defaults: Mapping[str, str]) -> str:
    """Replace variables that Glific did not fill by their defaults, which are found by the name without `@`."""
    if "@" not in text:
        return text
    return _VARIABLE.sub(lambda match: defaults.get(match[0].removeprefix("@"), match[0]), text)
