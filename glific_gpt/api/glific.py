"""Routes of the connection to Glific: put, shown, deleted."""

from typing import Annotated, Any, Literal, Self

from flask import Response
from flask_openapi.models.tag import Tag
from pydantic import ConfigDict, Field, SecretStr, model_validator

from glific_gpt.api.blueprint import blueprint
from glific_gpt.api.problems import declared
from glific_gpt.api.requests import Body, OrganizationPath
from glific_gpt.api.responses import answer, nothing
from glific_gpt.connections import connecting, store
from glific_gpt.connections.store import MAX_PASSWORD
from glific_gpt.connections.tables import GlificConnection
from glific_gpt.database import transaction
from glific_gpt.organizations import store as organizations
from glific_gpt.schemas import GlificConnectionView
from glific_gpt.services import services

TAG = Tag(name="Glific", description="The way back into an organization's Glific, for answers that come later.")
RULE = "/organizations/<slug>/glific"
LOGIN = {"phone", "password"}

URL = r"^https?://[A-Za-z0-9.:\[\]-]{1,250}(/api)?/?$"
PHONE = r"^\+?[1-9][0-9]{6,14}$"
VISIBLE = r"\S"
BY_WAY: dict[str, Any] = {
    "oneOf": [
        {"properties": {"way": {"const": "api"}}, "required": sorted(LOGIN)},
        {
            "properties": {"way": {"const": "signed"}},
            "not": {"anyOf": [{"required": [name]} for name in sorted(LOGIN)]},
        },
    ]
}


class NewConnection(Body):
    """A way into Glific. The way api needs phone and password; the way signed takes neither."""

    model_config = ConfigDict(json_schema_extra=BY_WAY)

    way: Literal["api", "signed"] = Field(
        description="The documented API with a manager's login, or the call that the signature phrase signs."
    )
    api_url: Annotated[
        str,
        Field(
            description="Where its Glific's API is.",
            examples=["https://api.seva-trust.glific.com"],
            json_schema_extra={"pattern": URL},
        ),
    ]
    phone: Annotated[str, Field(examples=["919876543210"], json_schema_extra={"pattern": PHONE})] = Field(
        default_factory=str, repr=False, description="Of the login, with the country code."
    )
    password: Annotated[
        SecretStr, Field(json_schema_extra={"pattern": VISIBLE, "minLength": 1, "maxLength": MAX_PASSWORD})
    ] = Field(default_factory=lambda: SecretStr(""), description="Of the login.")
    verify: bool = Field(default=True, description="Whether to ask Glific first; what it refuses is not saved.")

    @model_validator(mode="after")
    def _complete(self) -> Self:
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
        "What Glific refuses is not saved (422 glific_not_verified), and everything is as "
        "before. The way signed needs the organization's signature phrase."
    ),
    responses={200: GlificConnectionView, **declared(400, 404, 409, 413, 415, 422)},
)
def put_glific_connection(path: OrganizationPath, body: NewConnection) -> Response:
    """Connect an organization to Glific, or replace its connection"""
    return answer(_view(_connect(path.slug, body)))


@blueprint.get(RULE, tags=[TAG], responses={200: GlificConnectionView, **declared(404)})
def show_glific_connection(path: OrganizationPath) -> Response:
    """Show a connection
    Whether there is one; never the password, and of the phone only its last four digits.
    """
    with transaction() as session:
        connection = store.find_if_any(session, organizations.find(session, path.slug).id)
    return answer(_view(connection))


@blueprint.delete(RULE, tags=[TAG], responses={204: None, **declared(404)})
def delete_glific_connection(path: OrganizationPath) -> Response:
    """Delete a connection
    Waiting flows are not reached any more.
    """
    with transaction() as session:
        store.disconnect(session, organizations.find(session, path.slug).id)
    return nothing()


def _connect(slug: str, body: NewConnection) -> GlificConnection:
    app = services()
    common: dict[str, Any] = {"api_url": body.api_url, "verify": body.verify}
    if body.way == "signed":
        return connecting.connect_by_signed_call(app.vault, app.glific, slug, **common)
    return connecting.connect_by_api(app.vault, app.glific, slug, phone=body.phone, password=body.password, **common)


def _view(connection: GlificConnection | None) -> GlificConnectionView:
    return GlificConnectionView.of(connection, store.phone_last4(services().vault, connection))
