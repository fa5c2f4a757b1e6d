"""Authorization of the console: the access level that each page requires, checked before every view."""

from collections.abc import Callable
from contextlib import suppress
from enum import IntEnum
from typing import Any, TypeVar, cast

from flask import Flask, Response, current_app, flash, g, redirect, request, url_for
from flask import session as browser_session
from flask_babel import gettext
from flask_security import current_user

from glific_gpt.accounts import people
from glific_gpt.accounts.sign_in import sessions, set_up
from glific_gpt.accounts.tables import Role, User
from glific_gpt.console.redirects import page_of_form
from glific_gpt.database import transaction
from glific_gpt.errors import InsufficientRole, NotFound
from glific_gpt.organizations import store
from glific_gpt.organizations.changes import OrganizationChanges
from glific_gpt.organizations.tables import Organization
from glific_gpt.services import begin_page

View = TypeVar("View", bound=Callable[..., Any])


class AccessLevel(IntEnum):
    """The access that a page requires. Each level includes the levels before it."""

    PUBLIC = 0
    SIGNED_IN = 1
    VIEWER = 2
    EDITOR = 3
    OWNER = 4
    ADMINISTRATOR = 5


LAST_ORGANIZATION = "organization"
"""Key of the session: the slug of the organization whose page was opened last."""

ROLE_LEVELS = {Role.VIEWER: AccessLevel.VIEWER, Role.EDITOR: AccessLevel.EDITOR, Role.OWNER: AccessLevel.OWNER}


def requires(level: AccessLevel) -> Callable[[View], View]:
    """Decorate a view with its access level: `@requires(AccessLevel.EDITOR)`."""

    def decorate(view: View) -> View:
        view.access_level = level  # type: ignore[attr-defined]
        return view

    return decorate


def required_level(app: Flask, endpoint: str) -> AccessLevel | None:
    """Return the access level of an endpoint, or None if the view has no `@requires`."""
    return getattr(app.view_functions[endpoint], "access_level", None)


def require_access_levels(app: Flask) -> None:
    """Check that every view of the console has an access level. Raises LookupError if one has none."""
    for endpoint in app.view_functions:
        if endpoint.startswith("console.") and required_level(app, endpoint) is None:
            raise LookupError(f"{endpoint} has no access level. Decorate it with @requires(...).")


def authorize() -> Response | None:
    """Check access before every view. Without a session, redirect to the sign-in page, or to the set-up of the server.

    Raises NotFound if the organization does not exist or the user does not belong to it, and on pages of administrators
    for other users. Raises InsufficientRole if the user's role is too small.
    """
    required = required_level(current_app, request.endpoint or "") or AccessLevel.PUBLIC
    g.actor = current_user.email if current_user.is_authenticated else "nobody"
    if required is AccessLevel.PUBLIC:
        return None
    if not current_user.is_authenticated:
        if request.endpoint == "console.home" and set_up.is_needed():
            return cast("Response", redirect(url_for("security.set_up")))
        return _redirect_to_sign_in()
    if _load_access_level() >= required:
        return None
    # Pages of administrators do not reveal that they exist.
    raise NotFound if required is AccessLevel.ADMINISTRATOR else InsufficientRole


def require_fresh_sign_in(page: str) -> Response | None:
    """Redirect to the confirmation of the password, and from there to the page, unless it was entered just now."""
    if sessions.is_fresh():
        return None
    flash(gettext("Confirm your password, then repeat the step."), "info")
    return cast("Response", redirect(url_for("security.verify", next=page)))


def signed_in_user() -> User:
    """Return the user of this session."""
    return cast("User", current_user._get_current_object())


def current_organization() -> Organization:
    """Return the organization that the page's address names."""
    return cast("Organization", g.organization)


def has_access(level: AccessLevel) -> bool:
    """Return whether the user has this access level on the current page."""
    return cast("AccessLevel", g.get("access_level", AccessLevel.PUBLIC)) >= level


def _load_access_level() -> AccessLevel:
    g.access_level = AccessLevel.ADMINISTRATOR if signed_in_user().is_administrator else AccessLevel.SIGNED_IN
    slug = (request.view_args or {}).get("slug")
    if slug is not None:
        _load_organization(slug)
    return cast("AccessLevel", g.access_level)


def load_last_organization() -> None:
    """Load the organization of the page before, so that its menu stays. Without access any more, load none."""
    level = g.access_level
    if slug := browser_session.get(LAST_ORGANIZATION):
        with suppress(NotFound):
            _load_organization(slug)
    g.access_level = level


def _load_organization(slug: str) -> None:
    """Load the organization and the user's role in it into `g`. Raises NotFound.

    The answer is the same for an organization that does not exist and for one that the user does not belong to, so
    that slugs cannot be guessed.
    """
    try:
        with transaction() as session:
            found = store.find(session, slug)
            role = people.find_role(session, signed_in_user(), found.id)
    except NotFound:
        raise NotFound from None
    if role is None:
        raise NotFound
    g.organization = found
    if browser_session.get(LAST_ORGANIZATION) != slug:
        browser_session[LAST_ORGANIZATION] = slug
    # The higher level: administrators have the role of an owner here, and keep access to their own pages.
    g.access_level = max(g.access_level, ROLE_LEVELS[role])


def count_page_without_organization() -> None:
    """Count a page whose address names no organization as one of the person's first organization.

    Raises RateLimited if too many of its pages are loading. Administrators without a membership have no limit.
    """
    if "slug" in (request.view_args or {}) or required_level(current_app, request.endpoint or "") == AccessLevel.PUBLIC:
        return  # static files are public
    if not current_user.is_authenticated:
        return
    with transaction() as session:
        slug = people.find_first_slug(session, User.id == signed_in_user().id)
    if slug is not None:
        begin_page(slug)


def _redirect_to_sign_in() -> Response:
    # htmx would insert the sign-in page into a part of the page. With this header it loads the whole page instead.
    if "HX-Request" in request.headers:
        page = page_of_form(request.headers.get("HX-Current-URL", ""))
        return Response(headers={"HX-Redirect": url_for("security.login", next=page)})
    if request.method == "GET":
        # Flask's full_path ends with a question mark even without a query.
        back: str | None = request.full_path.rstrip("?")
    else:
        # The browser cannot send a form again when it comes back from the sign-in page, so it shows the form's page.
        back = page_of_form(request.headers.get("Referer", ""))
    return cast("Response", redirect(url_for("security.login", next=back)))


def update_organization(changes: OrganizationChanges) -> None:
    """Apply changes to the current organization.

    The row is read again in the transaction, because it may have changed since the request began.
    """
    with transaction() as session:
        store.update(session, store.find(session, current_organization().slug), changes)
