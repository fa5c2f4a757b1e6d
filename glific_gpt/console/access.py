"""The console's lock: who may see a page, decided before every view; what is somebody else's is not there."""

from collections.abc import Callable
from enum import IntEnum
from typing import Any, TypeVar, cast

from flask import Flask, Response, current_app, g, redirect, request, url_for
from flask_security import current_user

from glific_gpt.accounts import people
from glific_gpt.accounts.tables import Role, User
from glific_gpt.database import transaction
from glific_gpt.errors import NotFound, RoleTooSmall
from glific_gpt.organizations import store
from glific_gpt.organizations import store as organizations
from glific_gpt.organizations.changes import OrganizationChanges
from glific_gpt.organizations.tables import Organization

View = TypeVar("View", bound=Callable[..., Any])


class Lock(IntEnum):
    """What a page asks of the person before it; each includes those before it."""

    ANYBODY = 0
    SIGNED_IN = 1
    VIEWER = 2
    EDITOR = 3
    OWNER = 4
    ADMINISTRATOR = 5


ROLES = {Role.VIEWER: Lock.VIEWER, Role.EDITOR: Lock.EDITOR, Role.OWNER: Lock.OWNER}


def needs(lock: Lock) -> Callable[[View], View]:
    """Stands before every view of the console: @needs(Lock.EDITOR)."""

    def put_on(view: View) -> View:
        view.lock = lock  # type: ignore[attr-defined]
        return view

    return put_on


def lock_of(app: Flask, endpoint: str) -> Lock | None:
    """None for a view on which nobody has put one."""
    if endpoint == "console.static":
        return Lock.ANYBODY
    return getattr(app.view_functions[endpoint], "lock", None)


def require_locks(app: Flask) -> None:
    """Raises LookupError for a page of the console without a lock."""
    for endpoint in app.view_functions:
        if endpoint.startswith("console.") and lock_of(app, endpoint) is None:
            raise LookupError(f"{endpoint} has no lock: put @needs(...) on it.")


def admit() -> Response | None:
    """Before every view. Raises NotFound for what is not there and for what is somebody else's, and RoleTooSmall."""
    wanted = lock_of(current_app, request.endpoint or "") or Lock.ANYBODY
    g.actor = current_user.email if current_user.is_authenticated else "nobody"
    if wanted is Lock.ANYBODY:
        return None
    if not current_user.is_authenticated:
        return _to_sign_in()
    held = _held()
    if held >= wanted:
        return None
    raise NotFound if wanted is Lock.ADMINISTRATOR else RoleTooSmall


def person() -> User:
    """Who is signed in."""
    return cast("User", current_user._get_current_object())


def organization() -> Organization:
    """The one that the page's address names."""
    return cast("Organization", g.organization)


def may(wanted: Lock) -> bool:
    """Whether this person may do, on this page, what asks for that lock."""
    return cast("Lock", g.get("held", Lock.ANYBODY)) >= wanted


def _held() -> Lock:
    g.held = Lock.ADMINISTRATOR if person().is_administrator else Lock.SIGNED_IN
    slug = (request.view_args or {}).get("slug")
    if slug is not None:
        _enter(slug)
    return cast("Lock", g.held)


def _enter(slug: str) -> None:
    """One answer for an organization that is not there and for one that is not this person's."""
    try:
        with transaction() as session:
            found = organizations.find(session, slug)
            role = people.role_in(session, person(), found.id)
    except NotFound:
        raise NotFound from None
    if role is None:
        raise NotFound
    g.organization = found
    g.held = max(g.held, ROLES[role])


def _to_sign_in() -> Response:
    """A part of a page that updates itself sends the whole page there."""
    if "HX-Request" in request.headers:
        return Response(headers={"HX-Redirect": url_for("security.login")})
    back = request.full_path.rstrip("?") if request.method == "GET" else None
    return cast("Response", redirect(url_for("security.login", next=back)))


def change(changes: OrganizationChanges) -> None:
    """As it is in the database by now, not as it was when the page was asked for."""
    with transaction() as session:
        store.change(session, store.find(session, organization().slug), changes)
