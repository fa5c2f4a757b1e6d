"""Authentication of the JSON API: identify the API token and check that it may access the organization."""

from dataclasses import dataclass
from typing import cast

from flask import g, request
from sqlalchemy.orm import Session

from glific_gpt.database import transaction
from glific_gpt.errors import InvalidApiToken, NotFound
from glific_gpt.organizations import store as organizations
from glific_gpt.organizations import tokens
from glific_gpt.organizations.tables import ApiToken
from glific_gpt.organizations.token_uses import UsedToken
from glific_gpt.services import services

HAS_VALID_API_TOKEN = "glific_gpt.has_valid_api_token"  # noqa: S105 - a name
"""Key of the WSGI environ: set when the token of a request is valid."""

ADMINISTRATOR_ENDPOINTS = frozenset({"api.create_organization"})
"""Endpoints that answer 404 for an organization's token."""


@dataclass(frozen=True)
class ApiCaller:
    """The holder of an API token."""

    organization_id: int | None
    """None for an administrator."""

    @property
    def is_administrator(self) -> bool:
        return self.organization_id is None

    def can_access(self, organization_id: int) -> bool:
        return self.organization_id in (None, organization_id)


def authenticate() -> None:
    """Authenticate the request, before every route.

    Raises InvalidApiToken, and NotFound both for an unknown organization and for one that the token may not access.
    """
    with transaction() as session:
        g.caller = caller = _identify(session)
        slug = (request.view_args or {}).get("slug")
        if slug is not None:
            _check_access(session, caller, slug)
    if request.endpoint in ADMINISTRATOR_ENDPOINTS and not caller.is_administrator:
        raise NotFound


def current_caller() -> ApiCaller:
    """Return the caller of the current request."""
    return cast("ApiCaller", g.caller)


def _identify(session: Session) -> ApiCaller:
    authorization = request.authorization
    if authorization is None or authorization.type != "bearer" or not authorization.token:
        raise InvalidApiToken
    token = tokens.identify_api_token(session, authorization.token)
    if token is None:
        raise InvalidApiToken
    request.environ[HAS_VALID_API_TOKEN] = True
    services().token_uses.note(UsedToken(ApiToken, token.id))
    g.actor = f"API token {token.label}"
    return ApiCaller(token.organization_id)


def _check_access(session: Session, caller: ApiCaller, slug: str) -> None:
    """Raise the same NotFound, without the slug, in both cases, so that callers cannot tell them apart."""
    try:
        organization = organizations.find(session, slug)
    except NotFound:
        raise NotFound from None
    if not caller.can_access(organization.id):
        raise NotFound
