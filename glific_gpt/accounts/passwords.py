"""Passwords: generated ones, one-time links, and the e-mail for forgotten passwords."""

import secrets
from collections.abc import Callable
from datetime import timedelta

import structlog
from flask import current_app, g, render_template
from flask_babel import force_locale, gettext
from sqlalchemy import select
from sqlalchemy.orm import Session

from glific_gpt.accounts import addresses, people
from glific_gpt.accounts.locales import find_locale
from glific_gpt.accounts.people import MSG_ACCOUNT_INACTIVE
from glific_gpt.accounts.tables import User
from glific_gpt.audit import trail
from glific_gpt.audit.actions import Action
from glific_gpt.clock import now
from glific_gpt.database import lock_rows, transaction
from glific_gpt.emails import smtp
from glific_gpt.emails.outbox import current_outbox
from glific_gpt.emails.smtp import Email
from glific_gpt.errors import Conflict, NotFound

# Without characters that look like another one. 20 of them have 99 bits of entropy.
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


def generate() -> str:
    """Return a random password that is easy to type: five groups of four characters."""
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(4)) for _ in range(5))


PUBLIC_URL = "SECURITY_PUBLIC_URL"
LINK_LIFETIME = timedelta(days=3)


def one_time_link(
    user: User, organization_id: int | None = None, check: Callable[[Session], None] | None = None
) -> str:
    """Return an absolute URL where the person chooses a password. It is valid for three days, or until it was used.

    Call it outside a transaction. Raises Conflict for an account that is switched off, and what `check` raises, which
    is called in the transaction of the audit entry.
    """
    if not user.active:
        raise Conflict(MSG_ACCOUNT_INACTIVE)
    with transaction() as session:
        if check:
            check(session)
        trail.record(session, Action.SIGN_IN_LINK_MADE, organization_id, email=user.email)
    return reset_link(user)


def reset_link(user: User) -> str:
    """Return such a URL for an e-mail that the person has asked for, without an audit entry."""
    # The format of Flask-Security's own tokens. Their second part, a hash of the password, is never checked.
    token = current_app.extensions["security"].reset_serializer.dumps([user.fs_uniquifier, None])
    # Not built from the request, because a client can send any host.
    path = current_app.url_map.bind("").build("security.reset_password", {"token": token})
    return f"{current_app.config[PUBLIC_URL]}{path}"


RESET_LINK = "reset_link"
"""Kind of an e-mail for a forgotten password."""
MAX_WAITING_REQUESTS = 1000
"""Such e-mails that may wait at the same time to be composed. Further requests are dropped, and people ask again."""
MAX_RESET_EMAILS_PER_HOUR = 5
"""Such e-mails for one account, whatever the number of clients that ask for them."""
DELAY_SECONDS = (1.0, 2.0)
"""Range of the time before the address is looked up. By then the response is sent.

Without it, the work for a person who exists slowed the response down, by 150 ms on a busy machine with one core.
"""

log = structlog.get_logger()


def request_reset_email(email: str, client: str) -> None:
    """Let a worker e-mail the person a link, if the person exists and e-mail is configured.

    The request stores the same for every address, and a worker looks it up later, so that the time of the response does
    not reveal whether the address has an account.
    """
    if not smtp.is_configured(current_app):
        return
    address = addresses.normalize(email)
    parameters = {"email": address, "client": client}
    with transaction() as session:
        is_stored = current_outbox().compose_and_send(
            session,
            RESET_LINK,
            address,
            parameters,
            now() + LINK_LIFETIME,
            delay_seconds=secrets.SystemRandom().uniform(*DELAY_SECONDS),
            limit=MAX_WAITING_REQUESTS,
        )
    if not is_stored:
        log.error("email_dropped", reason="too many e-mails are waiting")


def compose_reset_email(session: Session, parameters: dict[str, str]) -> Email | None:
    """Return the e-mail with a link, and record it; None if no person who may sign in has the address.

    Returns None, too, if the person was sent enough of them within an hour. A worker counts them, because the response
    to a request must not depend on the account.
    """
    try:
        user = people.find_person(session, parameters["email"])
    except NotFound:
        return None
    if not user.active:
        return None
    lock_rows(session, select(User).where(User.id == user.id))  # workers compose several e-mails at the same time
    hour_ago = now() - timedelta(hours=1)
    sent = trail.count_entries_about(session, user.email, Action.PASSWORD_LINK_REQUESTED, hour_ago)
    if sent >= MAX_RESET_EMAILS_PER_HOUR:
        return None
    g.actor = "nobody"
    trail.record(session, Action.PASSWORD_LINK_REQUESTED, email=user.email, address=parameters["client"])
    with force_locale(find_locale(user.locale)):
        url = current_app.config[PUBLIC_URL]
        text = render_template("security/email/reset.txt", link=reset_link(user), url=url)
        return Email(user.email, gettext("Your link to choose a password"), text)
