"""Routes of credentials: save, show, activate or deactivate, delete."""

from typing import Annotated

from flask import Response
from flask_openapi.models.tag import Tag
from pydantic import Field, SecretStr
from sqlalchemy.orm import Session

from glific_gpt.api.blueprint import blueprint
from glific_gpt.api.problems import problem_specs
from glific_gpt.api.requests import Body, OrganizationPath
from glific_gpt.api.responses import json_response, no_content
from glific_gpt.database import transaction
from glific_gpt.openai.hosts import MAX_URL_LENGTH
from glific_gpt.organizations import store as organizations
from glific_gpt.organizations.credentials import store
from glific_gpt.organizations.credentials.tables import Credential
from glific_gpt.schemas import CredentialView
from glific_gpt.services import services

TAG = Tag(name="Credentials", description="API keys of organizations. A saved key cannot be read.")
KEY = r"^\s*[!-~]{1,500}\s*$"
RULE = "/organizations/<slug>/credentials/<provider>"


class CredentialPath(OrganizationPath):
    """Path parameters of a credential."""

    provider: Annotated[str, Field(description="The provider of the key.", examples=["open_ai"])]


class NewCredential(Body):
    """An API key to save."""

    api_key: Annotated[
        SecretStr,
        Field(description="The whole key.", examples=["sk-proj-0123456789abcdef"], json_schema_extra={"pattern": KEY}),
    ]
    is_active: bool = Field(default=True, description="If false, calls are refused.")
    base_url: Annotated[str, Field(max_length=MAX_URL_LENGTH)] | None = Field(
        default=None,
        description="The address to which the key is sent: a region of OpenAI, or another server that the operator "
        "allows. Null is the server's own address.",
        examples=["https://in.api.openai.com/v1"],
    )
    verify: bool = Field(default=True, description="Verify the key at the provider first. A refused key is not saved.")


class CredentialStatus(Body):
    """Activate or deactivate a credential."""

    is_active: bool = Field(description="If false, calls are refused. Takes effect with the next call.")


@blueprint.put(
    RULE,
    tags=[TAG],
    description=(
        "Returns 201 if there was no key before. The key is verified at the provider first. It is not saved, and the "
        "old key is kept, if the provider refuses it (422 credential_not_verified) or cannot be reached (502 "
        "credential_not_verified)."
    ),
    responses={200: CredentialView, 201: CredentialView, **problem_specs(400, 404, 409, 413, 415, 422, 429, 502)},
)
def put_credential(path: CredentialPath, body: NewCredential) -> Response:
    """Create or replace a credential"""
    provider = services().provider(path.provider)
    # In a transaction of its own, because `save_credential` waits for the provider.
    with transaction() as session:
        organization = organizations.find(session, path.slug)
        exists = store.find_or_none(session, organization.id, provider) is not None
    with services().waiting_pages.hold(path.slug):
        credential = store.save_credential(
            services().vault,
            path.slug,
            provider,
            {"api_key": body.api_key},
            is_active=body.is_active,
            verify=body.verify,
            base_url=body.base_url,
        )
    return json_response(CredentialView.of(credential), 200 if exists else 201)


@blueprint.get(RULE, tags=[TAG], responses={200: CredentialView, **problem_specs(404)})
def show_credential(path: CredentialPath) -> Response:
    """Show a credential
    Without the key, except its last four characters.
    """
    with transaction() as session:
        credential = _find(session, path)
    return json_response(CredentialView.of(credential))


@blueprint.patch(RULE, tags=[TAG], responses={200: CredentialView, **problem_specs(400, 404, 409, 413, 415, 422)})
def switch_credential(path: CredentialPath, body: CredentialStatus) -> Response:
    """Activate or deactivate a credential"""
    with transaction() as session:
        organization = organizations.find(session, path.slug)
        provider = services().provider(path.provider)
        credential = store.set_active(session, organization.id, provider, is_active=body.is_active)
    return json_response(CredentialView.of(credential))


@blueprint.delete(RULE, tags=[TAG], responses={204: None, **problem_specs(404)})
def delete_credential(path: CredentialPath) -> Response:
    """Delete a credential"""
    with transaction() as session:
        organization = organizations.find(session, path.slug)
        store.delete(session, organization.id, services().provider(path.provider))
    return no_content()


def _find(session: Session, path: CredentialPath) -> Credential:
    organization = organizations.find(session, path.slug)
    return store.find(session, organization.id, services().provider(path.provider))
