"""Targets of redirects that a request names: only pages of the console are allowed."""

from urllib.parse import urlsplit

from flask import current_app, request
from werkzeug.datastructures import ImmutableMultiDict, MultiDict
from werkzeug.exceptions import HTTPException

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


def page_of_form(url: str) -> str | None:
    """Return the address of the console's page from which a form came; None if there is no such page.

    The host in `url` is ignored: behind a proxy it can differ from the one that this server knows.
    """
    try:
        parts = urlsplit(url)
        current_app.url_map.bind("").match(parts.path, "GET")
    except (ValueError, HTTPException):  # a form can be shown again at an address that accepts forms only
        return None
    address = f"{parts.path}?{parts.query}".rstrip("?")
    return address if is_console_page(address) else None


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
