"""Routes of credentials: an organization's key at a provider, put, shown, switched, deleted."""

from typing import Annotated

from flask import Response
from flask_openapi.models.tag import Tag
from pydantic import Field, SecretStr
from sqlalchemy.orm import Session

from glific_gpt.api.blueprint import blueprint
from glific_gpt.api.problems import declared
from glific_gpt.api.requests import Body, OrganizationPath
from glific_gpt.api.responses import answer, nothing
from glific_gpt.credentials import store
from glific_gpt.credentials.tables import Credential
from glific_gpt.database import transaction
from glific_gpt.organizations import store as organizations
from glific_gpt.schemas import CredentialView
from glific_gpt.services import services

TAG = Tag(name="Credentials", description="The key of an organization at a provider. It can never be read again.")
KEY = r"^\s*[!-~]{8,500}\s*$"
RULE = "/organizations/<slug>/credentials/<provider>"


class CredentialPath(OrganizationPath):
    """A credential's address."""

    provider: Annotated[str, Field(description="Whose key this is.", examples=["open_ai"])]


class NewCredential(Body):
    """A key, and the switch that makes it count."""

    api_key: Annotated[
        SecretStr,
        Field(description="The whole key.", examples=["sk-proj-..."], json_schema_extra={"pattern": KEY}),
    ]
    is_active: bool = Field(default=True, description="Whether webhooks are answered with it.")
    verify: bool = Field(
        default=True, description="Whether to ask the provider first; a key that it refuses is not saved."
    )


class Switch(Body):
    """On or off."""

    is_active: bool = Field(description="Whether webhooks are answered with it; counts from the next call on.")


@blueprint.put(
    RULE,
    tags=[TAG],
    description=(
        "201 when there was none. A key that the provider refuses is not saved (422 credential_not_verified), "
        "and everything is as before."
    ),
    responses={200: CredentialView, 201: CredentialView, **declared(400, 404, 409, 413, 415, 422)},
)
def put_credential(path: CredentialPath, body: NewCredential) -> Response:
    """Create or replace a credential"""
    provider = services().providers.get(path.provider)
    with transaction() as session:
        organization = organizations.find(session, path.slug)
        there = store.find_if_any(session, organization.id, provider) is not None
    credential = store.put(
        services().vault,
        path.slug,
        provider,
        {"api_key": body.api_key},
        is_active=body.is_active,
        verify=body.verify,
    )
    return answer(CredentialView.of(credential), 200 if there else 201)


@blueprint.get(RULE, tags=[TAG], responses={200: CredentialView, **declared(404)})
def show_credential(path: CredentialPath) -> Response:
    """Show a credential
    Never the key: only its last four characters.
    """
    with transaction() as session:
        credential = _find(session, path)
    return answer(CredentialView.of(credential))


@blueprint.patch(RULE, tags=[TAG], responses={200: CredentialView, **declared(400, 404, 409, 413, 415, 422)})
def switch_credential(path: CredentialPath, body: Switch) -> Response:
    """Switch a credential on or off"""
    with transaction() as session:
        organization = organizations.find(session, path.slug)
        provider = services().providers.get(path.provider)
        credential = store.switch(session, organization.id, provider, is_active=body.is_active)
    return answer(CredentialView.of(credential))


@blueprint.delete(RULE, tags=[TAG], responses={204: None, **declared(404)})
def delete_credential(path: CredentialPath) -> Response:
    """Delete a credential"""
    with transaction() as session:
        organization = organizations.find(session, path.slug)
        store.delete(session, organization.id, services().providers.get(path.provider))
    return nothing()


def _find(session: Session, path: CredentialPath) -> Credential:
    organization = organizations.find(session, path.slug)
    return store.find(session, organization.id, services().providers.get(path.provider))
