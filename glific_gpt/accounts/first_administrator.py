"""The first administrator: set-up in the browser, with a token from the log of the server."""

from datetime import timedelta
from hashlib import sha256

from flask import Flask, current_app
from itsdangerous import BadData, URLSafeTimedSerializer
from sqlalchemy import select
from sqlalchemy.orm import Session

from glific_gpt.accounts import administration
from glific_gpt.accounts.passwords import PUBLIC_URL
from glific_gpt.accounts.tables import User
from glific_gpt.database import insert_if_absent, lock_rows, transaction
from glific_gpt.errors import N_, Conflict, InvalidValue
from glific_gpt.organizations.server_models import ROW_ID
from glific_gpt.organizations.tables import ServerSettings
from glific_gpt.settings import Settings
from glific_gpt.vault import derive_key

LIFETIME = timedelta(hours=24)

PREFIX = "ggs_"
"""The log hides everything that begins with it, except in the line that shows the token."""
CONTENT = "administrator"
"""The content of all tokens. They are signed with the secret key, so all processes and servers accept them."""
KEY = "GLIFIC_GPT_SET_UP_KEY"

MSG_WRONG_TOKEN = N_("This set-up token is wrong or has expired. Restart the server: its log then shows a new link.")
MSG_SET_UP = N_("This server has an administrator already. Sign in.")


def init(app: Flask, settings: Settings) -> None:
    app.config[KEY] = derive_key(settings.secret_key, "accounts:set-up")


def is_missing(session: Session) -> bool:
    return session.scalar(select(User.id).where(User.is_administrator).limit(1)) is None


def create_link() -> str | None:
    """Return the URL of the set-up page with a new token, or None if there is an administrator. Opens a transaction."""
    with transaction() as session:
        if not is_missing(session):
            return None
    path = current_app.url_map.bind("").build("security.set_up", {"token": create_token()})
    return f"{current_app.config[PUBLIC_URL]}{path}"


def create_token() -> str:
    """Return a token, which is valid for a day, or until there is an administrator."""
    return PREFIX + str(_serializer().dumps(CONTENT))


def require_token(token: str) -> None:
    """Raises InvalidValue unless the token is valid."""
    try:
        _serializer().loads(token.removeprefix(PREFIX), max_age=int(LIFETIME.total_seconds()))
    except BadData:
        raise InvalidValue(MSG_WRONG_TOKEN) from None


def create(session: Session, email: str, password_hash: str) -> User:
    """Create the administrator. A person who has an account keeps it, with this password.

    Call it with a token that `require_token` has accepted. Raises InvalidValue for an address that is not valid, and
    Conflict if there is an administrator.
    """
    # The row locks the set-up: of two requests at the same moment, the second one waits here.
    insert_if_absent(session, ServerSettings(id=ROW_ID, allowed_models=None, require_two_factor=False))
    lock_rows(session, select(ServerSettings).where(ServerSettings.id == ROW_ID))
    if not is_missing(session):
        raise Conflict(MSG_SET_UP)
    user = administration.grant_admin(session, email)
    user.password = password_hash
    return user


def _serializer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(current_app.config[KEY], signer_kwargs={"digest_method": sha256})
