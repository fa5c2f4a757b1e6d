"""Routes of organizations: create, list, show, change."""

from typing import Annotated

from flask import Response, url_for
from flask_openapi.models.tag import Tag
from pydantic import Field, RootModel

from glific_gpt.api.authentication import caller
from glific_gpt.api.blueprint import blueprint
from glific_gpt.api.problems import declared
from glific_gpt.api.requests import Body, OrganizationPath
from glific_gpt.api.responses import answer, created, declared_created
from glific_gpt.database import transaction
from glific_gpt.errors import AdministratorsOnly
from glific_gpt.organizations import store, tokens
from glific_gpt.organizations.changes import SLUG, Name, OrganizationChanges
from glific_gpt.organizations.tables import Organization
from glific_gpt.schemas import OrganizationView
from glific_gpt.services import services

TAG = Tag(name="Organizations", description="One NGO each.")


class NewOrganization(Body):
    """What an organization begins with."""

    slug: Annotated[
        str,
        Field(
            description="Its name in addresses: small letters, digits and hyphens.",
            examples=["seva-trust"],
            json_schema_extra={"pattern": SLUG},
        ),
    ]
    name: Annotated[Name, Field(examples=["Seva Trust"])]


class CreatedOrganization(OrganizationView):
    """A new organization, with the secret that is shown this once."""

    webhook_token: str = Field(description="What the webhook node sends. It cannot be read again.")


class OrganizationList(RootModel[list[OrganizationView]]):
    """The organizations that the token reaches, by slug."""


@blueprint.post(
    "/organizations",
    tags=[TAG],
    responses={201: declared_created(CreatedOrganization), **declared(400, 404, 409, 413, 415, 422)},
)
def create_organization(body: NewOrganization) -> Response:
    """Create an organization
    Administrators only; for an organization's token this is not there (404).
    """
    with transaction() as session:
        organization = store.create(session, body.slug, body.name)
        _, token = tokens.create_webhook_token(session, organization, tokens.FIRST_LABEL)
    content = CreatedOrganization.model_validate(_view(organization).model_dump() | {"webhook_token": token})
    return created(content, url_for("api.show_organization", slug=organization.slug))


@blueprint.get("/organizations", tags=[TAG], responses={200: OrganizationList})
def list_organizations() -> Response:
    """List organizations
    All of them for an administrator's token; for an organization's token that organization alone.
    """
    with transaction() as session:
        reached = [row for row in store.every(session) if caller().reaches(row.id)]
    return answer(OrganizationList([_view(row) for row in reached]))


@blueprint.get("/organizations/<slug>", tags=[TAG], responses={200: OrganizationView, **declared(404)})
def show_organization(path: OrganizationPath) -> Response:
    """Show an organization"""
    with transaction() as session:
        organization = store.find(session, path.slug)
    return answer(_view(organization))


@blueprint.patch(
    "/organizations/<slug>",
    tags=[TAG],
    description=(
        "What is not given stays as it is. Only an administrator's token may give is_active (403 "
        "administrators_only): an organization that was switched off cannot switch itself on."
    ),
    responses={200: OrganizationView, **declared(400, 403, 404, 409, 413, 415, 422)},
)
def change_organization(path: OrganizationPath, body: OrganizationChanges) -> Response:
    """Change an organization"""
    if "is_active" in body.given() and not caller().is_administrator:
        raise AdministratorsOnly
    with transaction() as session:
        organization = store.find(session, path.slug)
        store.change(session, organization, body)
    return answer(_view(organization))


def _view(organization: Organization) -> OrganizationView:
    return OrganizationView.of(organization, services().settings.public_url)
