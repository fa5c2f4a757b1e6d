"""The API's lock: whose token a request carries, and whether that reaches what the address names."""

from dataclasses import dataclass
from typing import cast

from flask import g, request
from sqlalchemy.orm import Session

from glific_gpt.database import transaction
from glific_gpt.errors import NotFound, NoToken
from glific_gpt.organizations import store as organizations
from glific_gpt.organizations import tokens

ADMINISTRATORS_ONLY = frozenset({"api.create_organization"})
"""Endpoints that are not there for an organization's token."""


@dataclass(frozen=True)
class Caller:
    """Whoever holds the token."""

    organization_id: int | None
    """None is an administrator."""

    @property
    def is_administrator(self) -> bool:
        return self.organization_id is None

    def reaches(self, organization_id: int) -> bool:
        return self.organization_id in (None, organization_id)


def admit() -> None:
    """Before every request. Raises NoToken; NotFound for what is not there and for what is somebody else's."""
    with transaction() as session:
        g.caller = found = _identify(session)
        slug = (request.view_args or {}).get("slug")
        if slug is not None:
            _check_reach(session, found, slug)
    if request.endpoint in ADMINISTRATORS_ONLY and not found.is_administrator:
        raise NotFound


def caller() -> Caller:
    """Of the current request."""
    return cast("Caller", g.caller)


def _identify(session: Session) -> Caller:
    authorization = request.authorization
    if authorization is None or authorization.type != "bearer" or not authorization.token:
        raise NoToken
    token = tokens.identify_api_token(session, authorization.token)
    if token is None:
        raise NoToken
    g.actor = f"API token {token.label}"
    return Caller(token.organization_id)


def _check_reach(session: Session, found: Caller, slug: str) -> None:
    """One sentence for both, without the slug, so that nobody can tell them apart."""
    try:
        organization = organizations.find(session, slug)
    except NotFound:
        raise NotFound from None
    if not found.reaches(organization.id):
        raise NotFound
