"""Routes of the Glific connection: save, show, delete."""

from typing import Annotated, Any, Literal, Self

from flask import Response
from flask_openapi.models.tag import Tag
from pydantic import ConfigDict, Field, SecretStr, model_validator

from glific_gpt.api.blueprint import blueprint
from glific_gpt.api.problems import problem_specs
from glific_gpt.api.requests import Body, OrganizationPath
from glific_gpt.api.responses import json_response, no_content
from glific_gpt.database import transaction
from glific_gpt.organizations import store as organizations
from glific_gpt.organizations.connections import connecting, store
from glific_gpt.organizations.connections.store import MAX_PASSWORD_LENGTH
from glific_gpt.organizations.connections.tables import GlificConnection
from glific_gpt.schemas import GlificConnectionView
from glific_gpt.services import services

TAG = Tag(name="Glific", description="The connection to an organization's Glific, for deferred answers.")
RULE = "/organizations/<slug>/glific"
LOGIN = {"phone", "password"}

URL = r"^https?://[A-Za-z0-9.:\[\]-]{1,250}(/api)?/?$"
PHONE = r"^\+?[1-9][0-9]{6,14}$"
VISIBLE = r"\S"
REQUIRED_BY_WAY: dict[str, Any] = {
    "oneOf": [
        {"properties": {"way": {"const": "api"}}, "required": sorted(LOGIN)},
        {
            "properties": {"way": {"const": "signed"}},
            "not": {"anyOf": [{"required": [name]} for name in sorted(LOGIN)]},
        },
    ]
}


class NewConnection(Body):
    """A Glific connection to save. Way api requires phone and password; way signed does not allow them."""

    model_config = ConfigDict(json_schema_extra=REQUIRED_BY_WAY)

    way: Literal["api", "signed"] = Field(
        description="api: the documented API, with a manager's login. signed: calls signed with the webhook signature."
    )
    api_url: Annotated[
        str,
        Field(
            description="The address of the Glific API.",
            examples=["https://api.seva-trust.glific.com"],
            json_schema_extra={"pattern": URL},
        ),
    ]
    phone: Annotated[str, Field(examples=["919876543210"], json_schema_extra={"pattern": PHONE})] = Field(
        default_factory=str, repr=False, description="Phone number of the login, with the country code."
    )
    password: Annotated[
        SecretStr, Field(json_schema_extra={"pattern": VISIBLE, "minLength": 1, "maxLength": MAX_PASSWORD_LENGTH})
    ] = Field(default_factory=lambda: SecretStr(""), description="Password of the login.")
    verify: bool = Field(default=True, description="Verify the connection first. A refused connection is not saved.")

    @model_validator(mode="after")
    def _check_login_fields(self) -> Self:
        # The fields that were sent, not their values: an empty password is an error of another kind.
        given = LOGIN & self.model_fields_set
        if self.way == "api" and given != LOGIN:
            raise ValueError("the way api needs phone and password")
        if self.way == "signed" and given:
            raise ValueError("the way signed takes neither phone nor password")
        return self


@blueprint.put(
    RULE,
    tags=[TAG],
    description=(
        "The connection is verified at Glific first. The old connection is kept if Glific refuses the new one "
        "(422 glific_not_verified) or cannot be reached (502 glific_not_verified). With way signed, the "
        "organization must have a webhook signature."
    ),
    responses={200: GlificConnectionView, **problem_specs(400, 404, 409, 413, 415, 422, 429, 502)},
)
def put_glific_connection(path: OrganizationPath, body: NewConnection) -> Response:
    """Create or replace the Glific connection"""
    with services().waiting_pages.hold(path.slug):
        connection = _connect(path.slug, body)
    return json_response(_view(connection))


@blueprint.get(RULE, tags=[TAG], responses={200: GlificConnectionView, **problem_specs(404)})
def show_glific_connection(path: OrganizationPath) -> Response:
    """Show the Glific connection
    Without the password, and with only the last four digits of the phone number.
    """
    with transaction() as session:
        connection = store.find_or_none(session, organizations.find(session, path.slug).id)
    return json_response(_view(connection))


@blueprint.delete(RULE, tags=[TAG], responses={204: None, **problem_specs(404)})
def delete_glific_connection(path: OrganizationPath) -> Response:
    """Delete the Glific connection
    Deferred answers are no longer delivered.
    """
    with transaction() as session:
        store.disconnect(session, organizations.find(session, path.slug).id)
    return no_content()


def _connect(slug: str, body: NewConnection) -> GlificConnection:
    app = services()
    common: dict[str, Any] = {"api_url": body.api_url, "verify": body.verify}
    if body.way == "signed":
        return connecting.connect_by_signed_call(app.vault, app.glific, slug, **common)
    return connecting.connect_by_api(app.vault, app.glific, slug, phone=body.phone, password=body.password, **common)


def _view(connection: GlificConnection | None) -> GlificConnectionView:
    return GlificConnectionView.of(connection, store.phone_last4(services().vault, connection))
