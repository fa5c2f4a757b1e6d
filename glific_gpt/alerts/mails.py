"""E-mails about alerts: to the owners of the organization, and to the address in its settings."""

from collections.abc import Iterator
from datetime import timedelta

from flask import current_app
from flask_babel import force_locale, gettext
from sqlalchemy import select
from sqlalchemy.orm import Session

from glific_gpt.accounts.locales import ENGLISH, find_locale
from glific_gpt.accounts.passwords import PUBLIC_URL
from glific_gpt.accounts.tables import Membership, Role, User
from glific_gpt.alerts import texts
from glific_gpt.alerts.states import Announcement
from glific_gpt.clock import now
from glific_gpt.emails import smtp
from glific_gpt.emails.outbox import ALERT, current_outbox
from glific_gpt.emails.smtp import Email
from glific_gpt.organizations.tables import Organization

LIFETIME = timedelta(hours=6)
"""An alert that could not be sent for so long is old news."""
MAX_OWNERS = 20
"""Owners that get an e-mail, so that one organization cannot fill the outbox."""


def send(session: Session, organization: Organization, news: Announcement) -> None:
    """Put an e-mail for each recipient into the outbox, in the language of the person."""
    if not smtp.is_configured(current_app):
        return
    for address, locale in _recipients(session, organization):
        with force_locale(locale):
            # A name can have a line break, which no header can.
            subject = texts.subject(" ".join(organization.name.split()), news)
            email = Email(address, subject, _text(organization, news))
        current_outbox().send(session, email, now() + LIFETIME, organization.id, topic=ALERT)


def _recipients(session: Session, organization: Organization) -> Iterator[tuple[str, str]]:
    """Yield addresses and languages. The address in the settings has the language of the first owner."""
    owners = (
        select(User.email, User.locale)
        .join(Membership, Membership.user_id == User.id)
        .where(Membership.organization_id == organization.id, Membership.role == Role.OWNER.value, User.active)
        .order_by(User.id)
        .limit(MAX_OWNERS)
    )
    people = [(email, find_locale(locale)) for email, locale in session.execute(owners)]
    yield from people
    if organization.alert_email and organization.alert_email not in dict(people):
        yield organization.alert_email, people[0][1] if people else ENGLISH


def _text(organization: Organization, news: Announcement) -> str:
    url = f"{current_app.config[PUBLIC_URL]}/console/organizations/{organization.slug}/"
    reason = gettext(
        "You get this e-mail because you are an owner of %(name)s, or because its settings name this address for "
        "alerts. There is at most one an hour.",
        name=organization.name,
    )
    return "\n\n".join([*texts.lines(news), url, reason]) + "\n"
