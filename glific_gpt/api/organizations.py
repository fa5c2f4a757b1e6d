"""Routes of organizations: create, list, show, change."""

from typing import Annotated

from flask import Response, url_for
from flask_openapi.models.tag import Tag
from pydantic import Field, RootModel

from glific_gpt.api.authentication import current_caller
from glific_gpt.api.blueprint import blueprint
from glific_gpt.api.problems import problem_specs
from glific_gpt.api.requests import Body, OrganizationPath
from glific_gpt.api.responses import created_response, created_spec, json_response
from glific_gpt.database import transaction
from glific_gpt.errors import AdministratorRequired
from glific_gpt.organizations import fallback_model, store, tokens
from glific_gpt.organizations.changes import SLUG, Name, OrganizationChanges
from glific_gpt.organizations.tables import Organization
from glific_gpt.schemas import OrganizationView
from glific_gpt.services import services

TAG = Tag(name="Organizations", description="NGOs whose flows use this server.")


class NewOrganization(Body):
    """An organization to create."""

    slug: Annotated[
        str,
        Field(
            description=(
                "The name in addresses: lowercase letters, digits and hyphens, with a letter or digit first and last."
            ),
            examples=["seva-trust"],
            json_schema_extra={"pattern": SLUG},
        ),
    ]
    name: Annotated[Name, Field(examples=["Seva Trust"])]


class CreatedOrganization(OrganizationView):
    """A new organization, with its webhook token."""

    webhook_token: str = Field(description="The token for the webhook node. It is shown only in this response.")


class OrganizationList(RootModel[list[OrganizationView]]):
    """Organizations that the token can access, ordered by slug."""


@blueprint.post(
    "/organizations",
    tags=[TAG],
    responses={201: created_spec(CreatedOrganization), **problem_specs(400, 404, 409, 413, 415, 422)},
)
def create_organization(body: NewOrganization) -> Response:
    """Create an organization
    Requires an administrator's token. An organization's token gets 404.
    """
    with transaction() as session:
        organization = store.create(session, body.slug, body.name, services().settings.chosen_time_zone)
        _, token = tokens.create_webhook_token(session, organization, tokens.FIRST_LABEL)
    content = CreatedOrganization.model_validate(_view(organization).model_dump() | {"webhook_token": token})
    return created_response(content, url_for("api.show_organization", slug=organization.slug))


@blueprint.get("/organizations", tags=[TAG], responses={200: OrganizationList})
def list_organizations() -> Response:
    """List organizations
    All organizations with an administrator's token, otherwise only the organization of the token.
    """
    with transaction() as session:
        reached = [row for row in store.list_organizations(session) if current_caller().can_access(row.id)]
    return json_response(OrganizationList([_view(row) for row in reached]))


@blueprint.get("/organizations/<slug>", tags=[TAG], responses={200: OrganizationView, **problem_specs(404)})
def show_organization(path: OrganizationPath) -> Response:
    """Show an organization"""
    with transaction() as session:
        organization = store.find(session, path.slug)
    return json_response(_view(organization))


@blueprint.patch(
    "/organizations/<slug>",
    tags=[TAG],
    description=(
        "Keys that are not sent stay unchanged. Only an administrator's token may change is_active (403 "
        "administrators_only), so that an inactive organization cannot activate itself."
    ),
    responses={200: OrganizationView, **problem_specs(400, 403, 404, 409, 413, 415, 422)},
)
def change_organization(path: OrganizationPath, body: OrganizationChanges) -> Response:
    """Change an organization"""
    if "is_active" in body.given_values() and not current_caller().is_administrator:
        raise AdministratorRequired
    with transaction() as session:
        organization = store.find(session, path.slug)
        store.update(session, organization, body)
        fallback_model.require_allowed(session, organization, body, services().settings.models)
    return json_response(_view(organization))


def _view(organization: Organization) -> OrganizationView:
    return OrganizationView.of(organization, services().settings.public_url)
