"""The check of all alerts, once a minute in one process."""

from collections.abc import Mapping
from itertools import islice

import structlog
from flask_babel import force_locale
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from glific_gpt.accounts.locales import ENGLISH
from glific_gpt.alerts import conditions, mails, states, texts, webhook
from glific_gpt.alerts.conditions import CurrentAlerts
from glific_gpt.alerts.tables import AlertState
from glific_gpt.clock import now
from glific_gpt.database import reading, transaction
from glific_gpt.organizations.tables import Organization

BATCH_SIZE = 100
"""Organizations that are read together, and written in one transaction."""

log = structlog.get_logger()


def check(provider: str, webhook_url: str | None) -> None:
    """Find the alerts, record and mail what has changed, and post it to the webhook if there is one."""
    with transaction() as session:
        if not states.claim_check(session):
            return
        _delete_orphans(session)
    with reading() as session:
        candidates = iter(conditions.list_candidates(session))
    while batch := list(islice(candidates, BATCH_SIZE)):
        with reading() as session:
            current = conditions.find_current(session, provider, batch)
        if not any(current.values()) and not _has_states(batch):
            continue
        with transaction() as session:
            lines_of = _announce(session, current)
        if webhook_url:
            _post(webhook_url, lines_of, current)


def _post(webhook_url: str, lines_of: Mapping[int, list[str]], current: Mapping[int, CurrentAlerts]) -> None:
    """Post the lines, and record what was accepted. A message that fails is sent again after a minute."""
    for message, organizations in webhook.pack(lines_of):
        # No transaction is open during the request.
        if not webhook.post(webhook_url, message):
            return
        with transaction() as session:
            _mark_posted(session, {each: current[each] for each in organizations})


def _has_states(ids: list[int]) -> bool:
    with reading() as session:
        return bool(session.scalar(select(select(AlertState).where(AlertState.organization_id.in_(ids)).exists())))


def _delete_orphans(session: Session) -> None:
    """Delete the states of organizations that an earlier release has deleted."""
    known = select(Organization.id)
    session.execute(
        delete(AlertState).where(AlertState.organization_id.is_not(None), AlertState.organization_id.not_in(known))
    )


def _announce(session: Session, current: Mapping[int, CurrentAlerts]) -> dict[int, list[str]]:
    """Record the states, put e-mails into the outbox, and return the lines for the webhook by organization."""
    lines_of = {}
    for organization, rows in _rows_of(session, current):
        alerts = current[organization.id]
        if news := states.collect_mail(organization.id, rows, alerts):
            mails.send(session, organization, news)
            log.info("alerts_announced", organization=organization.slug, begun=_codes(news), over=len(news.over))
        states.mark_mailed(news, now())
        if news := states.collect_post(organization.id, rows, alerts):
            with force_locale(ENGLISH):  # the language of the administrators is not known
                name = webhook.quote(organization.name)
                lines_of[organization.id] = [f"{name} ({organization.slug}): {line}" for line in texts.lines(news)]
    return lines_of


def _mark_posted(session: Session, current: Mapping[int, CurrentAlerts]) -> None:
    for organization, rows in _rows_of(session, current):
        states.mark_posted(states.collect_post(organization.id, rows, current[organization.id]), now())


def _rows_of(session: Session, current: Mapping[int, CurrentAlerts]) -> list[tuple[Organization, list[AlertState]]]:
    by_id = states.update(session, current)
    organizations = session.scalars(select(Organization).where(Organization.id.in_(current)))
    return [(organization, by_id[organization.id]) for organization in organizations]


def _codes(news: states.Announcement) -> list[str]:
    return [alert.code.value for alert in news.begun]
