"""flask api-tokens: tokens for the JSON API, of administrators or of one organization."""

import click

from glific_gpt.cli.arguments import label, token_id
from glific_gpt.cli.group import Group
from glific_gpt.cli.output import format_fields, format_secret, format_table, json_option, print_result, to_json
from glific_gpt.cli.tokens import describe_last_use
from glific_gpt.database import reading, transaction
from glific_gpt.organizations import store, tokens
from glific_gpt.schemas import ApiTokenView

EMPTY = "No API tokens yet. Create one: flask api-tokens create --label LABEL"
COLUMNS = {
    "id": "ID",
    "organization": "ORGANIZATION",
    "created_at": "CREATED",
    "last_used_on": "LAST USED",
    "label": "LABEL",
}
ALL_ORGANIZATIONS = "all organizations"

api_tokens = Group(
    "api-tokens",
    short_help="Tokens for the JSON API.",
    help="""Manage tokens for the JSON API. An administrator's token can access every organization. An
    organization's token can access only that organization.

    \b
    Example:
      flask api-tokens create --label "nightly report" --organization seva-trust
      flask api-tokens revoke 1
    """,
)


@api_tokens.command("create")
@label
@click.option("--organization", metavar="SLUG", help="Limit the token to this organization.")
@json_option
def create(*, label: str, organization: str | None) -> None:
    """Create an API token."""
    with transaction() as session:
        # An empty slug, for example from an unset shell variable, must not create an administrator's token.
        owner = None if organization is None else store.find(session, organization)
        row, token = tokens.create_api_token(session, label, owner)
    data = {"id": row.id, "label": row.label, "organization": organization}
    usage = "Send it in the header Authorization: Bearer <token>."
    text = format_fields(data | {"organization": organization or ALL_ORGANIZATIONS})
    print_result(data | {"token": token}, text + "\n" + format_secret("token", token, usage))


@api_tokens.command("list")
@json_option
def list_() -> None:
    """List API tokens, without their values.

    The last use is a day in UTC. It is unknown for a token that was made before uses were recorded, and was not used
    since.
    """
    with reading() as session:
        found = tokens.list_api_tokens(session)
    rows = [to_json(ApiTokenView.of(row, slug)) for row, slug in found]
    table_rows = [{**describe_last_use(row), "organization": row["organization"] or ALL_ORGANIZATIONS} for row in rows]
    print_result(rows, format_table(table_rows, COLUMNS) if rows else EMPTY)


@api_tokens.command("revoke")
@token_id
@json_option
def revoke(*, token_id: int) -> None:
    """Revoke an API token. The next request with it is refused."""
    with transaction() as session:
        tokens.revoke_api_token(session, token_id)
    print_result({"id": token_id, "revoked": True}, f"API token {token_id} is revoked.")
