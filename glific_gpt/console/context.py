"""The language of a page: the person's choice, else the browser's."""

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import Flask, g, request, session, url_for
from flask_babel import Babel
from flask_security import current_user
from markupsafe import Markup

from glific_gpt.accounts import people
from glific_gpt.console import access
from glific_gpt.console.assets import icon
from glific_gpt.console.presenters.labels import ROLE_MEANINGS, ROLE_NAMES
from glific_gpt.database import transaction

LANGUAGES = {"en": "English", "hi": "हिन्दी"}
COOKIE_KEY = "language"


def init_language(app: Flask) -> None:
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = "console/translations"
    Babel(app, locale_selector=language)


def language() -> str:
    """One of LANGUAGES."""
    chosen = session.get(COOKIE_KEY) or (current_user.locale if current_user and current_user.is_authenticated else "")
    return chosen if chosen in LANGUAGES else request.accept_languages.best_match(list(LANGUAGES)) or "en"


LIST = "console.list_organizations"
"""Its address is the beginning of every organization's."""

STATIC = Path(__file__).parent / "static"
ENTRY = Markup("""<li class="nav-item"><a class="nav-link" href="{url}"{here}>
{icon} <span>{text}</span></a></li>""")
HERE = Markup(' aria-current="page"')


def init(app: Flask) -> None:
    app.jinja_env.globals.update(asset=asset, icon=icon, language=language, languages=LANGUAGES, entry=entry)
    app.jinja_env.globals.update(role_names=ROLE_NAMES, role_meanings=ROLE_MEANINGS)
    app.jinja_env.filters["dropnone"] = lambda given: {name: value for name, value in given.items() if value}
    app.context_processor(_context)


def asset(name: str) -> str:
    """The address of one of our files, which changes when the file does: browsers keep it for ever."""
    return url_for("console.static", filename=name, v=_digest(name))


def entry(endpoint: str, icon_name: str, text: str, **values: Any) -> Markup:
    """One line of the menu, marked on its own page and on those below."""
    url = url_for(endpoint, **values)
    here = request.path == url or (endpoint != LIST and request.path.startswith(f"{url}/"))
    return ENTRY.format(url=url, here=HERE if here else "", icon=icon(icon_name), text=text)


@lru_cache
def _digest(name: str) -> str:
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]


def _context() -> dict[str, Any]:
    if not current_user or not current_user.is_authenticated:
        return {"person": None}
    found = g.get("organization")
    return {
        "person": access.person(),
        "organization": found,
        "may": access.may,
        "Lock": access.Lock,
        "has_others": has_others,
    }


def has_others() -> bool:
    """Whether the person is to be led to other organizations; administrators have a list of all of them."""
    if access.person().is_administrator:
        return False
    with transaction() as session:
        return len(people.memberships(session, access.person())) > 1
