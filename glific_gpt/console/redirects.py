"""Targets of redirects that a request names: only pages of the console are allowed."""

from urllib.parse import urlsplit

from flask import request
from werkzeug.datastructures import ImmutableMultiDict, MultiDict

PARAMETER = "next"


def is_console_page(address: str) -> bool:
    """Return whether this is a path of the console.

    Browsers read `//` and backslashes as the start of a host name. A header with a line break cannot be sent.
    """
    if not address.startswith("/console/") or not address.isprintable() or "\\" in address or "//" in address:
        return False
    try:
        return not urlsplit(address).netloc
    except ValueError:  # an unclosed bracket
        return False


def drop_foreign_targets() -> None:
    """Before each sign-in page: remove a target that is no page of the console, so that the start page follows."""
    if _has_foreign_target(request.args):
        request.args = _without_target(request.args)
    if request.method == "POST" and _has_foreign_target(request.form):
        request.form = _without_target(request.form)


def _has_foreign_target(values: "MultiDict[str, str]") -> bool:
    return not all(is_console_page(target) for target in values.getlist(PARAMETER))


def _without_target(values: "MultiDict[str, str]") -> "ImmutableMultiDict[str, str]":
    return ImmutableMultiDict((name, value) for name, value in values.items(multi=True) if name != PARAMETER)
