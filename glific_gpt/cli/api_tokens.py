"""flask api-tokens: tokens for the JSON API, an administrator's or one organization's."""

import click

from glific_gpt.cli.arguments import label, token_id
from glific_gpt.cli.group import Group
from glific_gpt.cli.output import emit, fields, json_option, plain, shown_once, table
from glific_gpt.database import transaction
from glific_gpt.organizations import store, tokens
from glific_gpt.schemas import ApiTokenView

EMPTY = "No API tokens yet. Make one: flask api-tokens create --label LABEL"
COLUMNS = {"id": "ID", "organization": "ORGANIZATION", "created_at": "CREATED", "label": "LABEL"}
EVERYONE = "every organization"

api_tokens = Group(
    "api-tokens",
    short_help="Tokens for the JSON API.",
    help="""Tokens for the JSON API: an administrator's, or one that reaches one organization alone.

    \b
    Example:
      flask api-tokens create --label "nightly report" --organization seva-trust
      flask api-tokens revoke 1
    """,
)


@api_tokens.command("create")
@label
@click.option("--organization", metavar="SLUG", help="Reach this organization alone; without it, all.")
@json_option
def create(*, label: str, organization: str | None) -> None:
    """Make an API token."""
    with transaction() as session:
        # An empty slug, as from a variable that is not set, is an unknown organization and not everybody.
        owner = None if organization is None else store.find(session, organization)
        row, token = tokens.create_api_token(session, label, owner)
    data = {"id": row.id, "label": row.label, "organization": organization}
    use = "Programs send it in the header Authorization: Bearer <token>."
    text = fields(data | {"organization": organization or EVERYONE})
    emit(data | {"token": token}, text + "\n" + shown_once("token", token, use))


@api_tokens.command("list")
@json_option
def list_() -> None:
    """List the API tokens, without the secrets."""
    with transaction() as session:
        rows = [plain(ApiTokenView.of(row, slug)) for row, slug in tokens.list_api_tokens(session)]
    for_people = [row | {"organization": row["organization"] or EVERYONE} for row in rows]
    emit(rows, table(for_people, COLUMNS) if rows else EMPTY)


@api_tokens.command("revoke")
@token_id
@json_option
def revoke(*, token_id: int) -> None:
    """Let an API token in no more, from the next request on."""
    with transaction() as session:
        tokens.revoke_api_token(session, token_id)
    emit({"id": token_id, "revoked": True}, f"API token {token_id} opens nothing any more.")
