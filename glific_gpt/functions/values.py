"""Values as Glific sends them: numbers as text, ids as text, variables that were never filled in."""

import re
from typing import Any

NUMBER = re.compile(r"[+-]?\d{1,9}(\.\d{1,9})?", re.ASCII)
MAX_ID = 2**63


def number(value: Any) -> Any:
    """A number, also when it was sent as text; anything else is left for the field's type to refuse."""
    if isinstance(value, bool):
        raise ValueError("this is not a number")  # noqa: TRY004 - what pydantic understands
    if isinstance(value, str):
        if not NUMBER.fullmatch(value.strip()):
            raise ValueError("this is not a number")
        return float(value)
    return value


def flow_number(value: Any) -> int | None:
    """One of Glific's ids, a number or text; None for anything else, since an answer does not depend on it."""
    if isinstance(value, str) and re.fullmatch(r"\d{1,19}", value.strip(), re.ASCII):
        value = int(value)
    usable = isinstance(value, int) and not isinstance(value, bool) and 0 < value < MAX_ID
    return value if usable else None


def none_if_blank(value: Any) -> Any:
    """A field that was left empty in Glific's form is a field that was not given."""
    return None if isinstance(value, str) and not value.strip() else value
