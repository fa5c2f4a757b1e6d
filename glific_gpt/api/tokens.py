"""Routes of webhook tokens: listed, made and shown once, revoked."""

from typing import Annotated

from flask import Response
from flask_openapi.models.tag import Tag
from pydantic import Field, RootModel

from glific_gpt.api.blueprint import blueprint
from glific_gpt.api.problems import declared
from glific_gpt.api.requests import MAX_ID, Body, OrganizationPath
from glific_gpt.api.responses import answer, nothing
from glific_gpt.database import transaction
from glific_gpt.organizations import store, tokens
from glific_gpt.organizations.changes import Label
from glific_gpt.schemas import TokenView

TAG = Tag(name="Webhook tokens", description="What the webhook nodes of an organization's flows send.")
RULE = "/organizations/<slug>/tokens"


class TokenPath(OrganizationPath):
    """A webhook token's address."""

    token_id: Annotated[int, Field(ge=1, le=MAX_ID, description="The token's id.", examples=[1])]


class NewToken(Body):
    """What a webhook token begins with."""

    label: Annotated[Label, Field(description="What it is for.", examples=["staging flows"])]


class CreatedToken(TokenView):
    """A new token, with the secret that is shown this once."""

    token: str = Field(description="It cannot be read again.")


class TokenList(RootModel[list[TokenView]]):
    """Webhook tokens, oldest first."""


@blueprint.get(RULE, tags=[TAG], responses={200: TokenList, **declared(404)})
def list_tokens(path: OrganizationPath) -> Response:
    """List webhook tokens"""
    with transaction() as session:
        rows = tokens.list_webhook_tokens(session, store.find(session, path.slug))
    return answer(TokenList([TokenView.of(row) for row in rows]))


@blueprint.post(RULE, tags=[TAG], responses={201: CreatedToken, **declared(400, 404, 413, 415, 422)})
def create_token(path: OrganizationPath, body: NewToken) -> Response:
    """Create a webhook token
    Several may be valid at a time, so that they can be changed without downtime.
    """
    with transaction() as session:
        row, token = tokens.create_webhook_token(session, store.find(session, path.slug), body.label)
    content = CreatedToken.model_validate(TokenView.of(row).model_dump() | {"token": token})
    return answer(content, 201)


@blueprint.delete(f"{RULE}/<token_id>", tags=[TAG], responses={204: None, **declared(404)})
def revoke_token(path: TokenPath) -> Response:
    """Revoke a webhook token
    Whoever sends it is turned away from the next call on.
    """
    with transaction() as session:
        tokens.revoke_webhook_token(session, store.find(session, path.slug), path.token_id)
    return nothing()
