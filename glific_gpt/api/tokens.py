"""Routes of webhook tokens: list, create, revoke."""

from typing import Annotated

from flask import Response
from flask_openapi.models.tag import Tag
from pydantic import Field, RootModel

from glific_gpt.api.blueprint import blueprint
from glific_gpt.api.problems import problem_specs
from glific_gpt.api.requests import MAX_ID, Body, OrganizationPath
from glific_gpt.api.responses import json_response, no_content
from glific_gpt.database import reading, transaction
from glific_gpt.organizations import store, tokens
from glific_gpt.organizations.changes import Label
from glific_gpt.schemas import TokenView

TAG = Tag(name="Webhook tokens", description="Tokens that webhook nodes send to authenticate.")
RULE = "/organizations/<slug>/tokens"


class TokenPath(OrganizationPath):
    """Path parameters of a webhook token."""

    token_id: Annotated[int, Field(ge=1, le=MAX_ID, description="The id of the token.", examples=[1])]


class NewToken(Body):
    """A webhook token to create."""

    label: Annotated[Label, Field(description="A name for the token, such as its purpose.", examples=["staging flows"])]


class CreatedToken(TokenView):
    """A new token, with its secret value."""

    token: str = Field(description="The token. It is shown only in this response.")


class TokenList(RootModel[list[TokenView]]):
    """Webhook tokens, oldest first."""


@blueprint.get(RULE, tags=[TAG], responses={200: TokenList, **problem_specs(404)})
def list_tokens(path: OrganizationPath) -> Response:
    """List webhook tokens"""
    with transaction() as session:
        organization = store.find(session, path.slug)
    with reading(organization.id) as session:
        rows = tokens.list_webhook_tokens(session, organization)
    return json_response(TokenList([TokenView.of(row) for row in rows]))


@blueprint.post(RULE, tags=[TAG], responses={201: CreatedToken, **problem_specs(400, 404, 409, 413, 415, 422)})
def create_token(path: OrganizationPath, body: NewToken) -> Response:
    """Create a webhook token
    An organization can have up to 100 valid tokens, so that they can be replaced without downtime.
    """
    with transaction() as session:
        row, token = tokens.create_webhook_token(session, store.find(session, path.slug), body.label)
    content = CreatedToken.model_validate(TokenView.of(row).model_dump() | {"token": token})
    return json_response(content, 201)


@blueprint.delete(f"{RULE}/<token_id>", tags=[TAG], responses={204: None, **problem_specs(404)})
def revoke_token(path: TokenPath) -> Response:
    """Revoke a webhook token
    The next call with this token is refused.
    """
    with transaction() as session:
        tokens.revoke_webhook_token(session, store.find(session, path.slug), path.token_id)
    return no_content()
