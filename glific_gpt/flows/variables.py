"""Variables in Glific's texts, such as `@results.question`."""

import re

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

ROOT_PATTERN = rf"(?:{'|'.join(ROOTS)})(?![A-Za-z0-9_\-])"
_VARIABLE = re.compile(rf"(?<!\w)@{ROOT_PATTERN}(?:\.[A-Za-z0-9_\-]+){{1,4}}", re.IGNORECASE)
_WHOLE_ROOT = re.compile(rf"@{ROOT_PATTERN}", re.IGNORECASE)


def find_unresolved(text: str) -> list[str]:
    """Return the variables that Glific did not replace, without duplicates, in order.

    Glific leaves a variable unchanged if nothing is stored under its name. A bare root counts only if it is the whole
    text, because Glific replaces it only there. An e-mail address (`asha@contact.org`) does not count.
    """
    if "@" not in text:  # the usual case, without the regular expressions
        return []
    whole = text.strip()
    if _WHOLE_ROOT.fullmatch(whole):
        return [whole]
    return list(dict.fromkeys(_VARIABLE.findall(text)))
