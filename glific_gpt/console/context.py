"""Variables and functions of all templates: language, assets, menu, user and organization."""

from typing import Any

from flask import Flask, current_app, g, request, session, url_for
from flask_babel import Babel
from flask_security import current_user
from markupsafe import Markup
from werkzeug.exceptions import HTTPException

from glific_gpt import __version__
from glific_gpt.accounts import locales, people
from glific_gpt.accounts.sign_in import sessions
from glific_gpt.console import access
from glific_gpt.console.assets import icon
from glific_gpt.console.handbook import SECTIONS
from glific_gpt.console.presenters import times
from glific_gpt.console.presenters.labels import ROLE_MEANINGS, ROLE_NAMES
from glific_gpt.console.static_files import asset_url
from glific_gpt.database import transaction
from glific_gpt.services import services

LANGUAGES = {"en": "English", "hi": "हिन्दी"}
LANGUAGE_KEY = "language"
LONGEST_ACTIVITY_SECONDS = 300


def init_language(app: Flask) -> None:
    """Set up the translations of all pages, including those of Flask-Security."""
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = "console/translations"
    Babel(app, locale_selector=page_locale)


def page_language() -> str:
    """Return the language of this page, a key of LANGUAGES.

    The order is: chosen in this browser, saved for the user, accepted by the browser, English.
    """
    chosen = session.get(LANGUAGE_KEY) or locales.language_of(_saved_locale())
    return chosen if chosen in LANGUAGES else request.accept_languages.best_match(list(LANGUAGES)) or "en"


def page_locale() -> str:
    """Return the locale of this page: its language, with the country that is saved for the user."""
    saved, language = locales.find_locale(_saved_locale()), page_language()
    if locales.language_of(saved) == language:
        return saved
    return locales.ENGLISH if language == "en" else language


def _saved_locale() -> str:
    return (current_user.locale if current_user and current_user.is_authenticated else None) or ""


ORGANIZATION_LIST = "console.list_organizations"
"""Every organization's address begins with the address of this page."""

NEW_ORGANIZATION = "console.new_organization"
"""A page below the list whose address does not begin with that of the list."""

MENU_ENTRY = Markup("""<li class="nav-item"><a class="nav-link" href="{url}"{current}>
{icon} <span>{text}</span></a></li>""")
CURRENT_PAGE_ATTRIBUTE = Markup(' aria-current="page"')


def init(app: Flask) -> None:
    """Register what the templates use."""
    app.jinja_env.globals.update(asset_url=asset_url, icon=icon, menu_entry=menu_entry)
    app.jinja_env.globals.update(help_url=help_url)
    app.jinja_env.globals.update(page_language=page_language, languages=LANGUAGES)
    app.jinja_env.globals.update(language_tag=lambda: page_locale().replace("_", "-"))
    app.jinja_env.globals.update(activity_seconds=activity_seconds, version=__version__)
    app.jinja_env.globals.update(is_sandbox=lambda: services().settings.sandbox)
    app.jinja_env.globals.update(role_names=ROLE_NAMES, role_meanings=ROLE_MEANINGS)
    app.jinja_env.globals.update(page_zone=times.page_zone)
    app.jinja_env.filters["in_zone"] = times.format_moment
    app.jinja_env.filters["drop_empty"] = lambda attributes: {
        name: value for name, value in attributes.items() if value
    }
    app.context_processor(_template_variables)


def help_url() -> str:
    """Return the address of the part of the handbook that describes this page."""
    return url_for("console.help_page", _anchor=SECTIONS.get(_find_page(request.path)))


def _find_page(path: str) -> str:
    """Return the endpoint of the page at this address, or above it: a form with errors is shown below its page."""
    adapter = current_app.create_url_adapter(request)
    while adapter and path:
        try:
            endpoint, _values = adapter.match(path, method="GET")
        except HTTPException:
            path = path.rpartition("/")[0]
        else:
            return str(endpoint).removeprefix("console.")
    return ""


def activity_seconds() -> int:
    """Return the seconds after which a page reports again that a person is typing."""
    idle_seconds: int = current_app.config[sessions.IDLE_MINUTES] * 60
    return min(LONGEST_ACTIVITY_SECONDS, idle_seconds // 4)


def menu_entry(endpoint: str, icon_name: str, text: str, **values: Any) -> Markup:
    """Return one line of the menu. It is marked as current on its own page and on the pages below it."""
    url = url_for(endpoint, **values)
    if endpoint == ORGANIZATION_LIST:
        is_current = request.path in {url, url_for(NEW_ORGANIZATION)}
    else:
        is_current = request.path == url or request.path.startswith(f"{url}/")
    current = CURRENT_PAGE_ATTRIBUTE if is_current else ""
    return MENU_ENTRY.format(url=url, current=current, icon=icon(icon_name), text=text)


def _template_variables() -> dict[str, Any]:
    if not current_user or not current_user.is_authenticated:
        return {"signed_in_user": None}
    return {
        "signed_in_user": access.signed_in_user(),
        "organization": g.get("organization"),
        "has_access": access.has_access,
        "AccessLevel": access.AccessLevel,
        "has_other_organizations": has_other_organizations,
    }


def has_other_organizations() -> bool:
    """Return whether the menu links to the user's other organizations. Administrators have a list of all instead."""
    if access.signed_in_user().is_administrator:
        return False
    with transaction() as session:
        return len(people.list_memberships(session, access.signed_in_user())) > 1
