"""flask tokens: webhook tokens of an organization."""

from glific_gpt.cli.arguments import label, slug, token_id
from glific_gpt.cli.group import Group
from glific_gpt.cli.output import (
    JsonObject,
    format_fields,
    format_secret,
    format_table,
    json_option,
    print_result,
    to_json,
)
from glific_gpt.database import reading, transaction
from glific_gpt.organizations import store
from glific_gpt.organizations import tokens as webhook_tokens
from glific_gpt.schemas import TokenView

COLUMNS = {"id": "ID", "created_at": "CREATED", "last_used_on": "LAST USED", "label": "LABEL"}

tokens = Group(
    "tokens",
    short_help="Webhook tokens of an organization.",
    help="""Manage the tokens that webhook nodes send to authenticate. An organization can have several, so that a
    token can be replaced without downtime.

    \b
    Example:
      flask tokens create seva-trust --label "menu flow"
      flask tokens revoke seva-trust 1
    """,
)


def describe_last_use(token: JsonObject) -> JsonObject:
    """Return a token for a table: with `never` or `unknown` instead of a missing last use."""
    missing = "never" if token["uses_recorded"] else "unknown"
    return {**token, "last_used_on": token["last_used_on"] or missing}


@tokens.command("create")
@slug
@label
@json_option
def create(*, slug: str, label: str) -> None:
    """Create a webhook token."""
    with transaction() as session:
        row, token = webhook_tokens.create_webhook_token(session, store.find(session, slug), label)
    data = {"id": row.id, "label": row.label}
    usage = "The webhook node sends it in the header Authorization: Bearer <token>."
    print_result(data | {"token": token}, format_fields(data) + "\n" + format_secret("token", token, usage))


@tokens.command("list")
@slug
@json_option
def list_(*, slug: str) -> None:
    """List webhook tokens, without their values.

    The last use is a day in UTC. It is unknown for a token that was made before uses were recorded, and was not used
    since.
    """
    with reading() as session:
        rows = webhook_tokens.list_webhook_tokens(session, store.find(session, slug))
    listed = [to_json(TokenView.of(row)) for row in rows]
    empty = f"No webhook tokens. Create one: flask tokens create {slug} --label LABEL"
    text = format_table([describe_last_use(row) for row in listed], COLUMNS)
    print_result(listed, text if listed else empty)


@tokens.command("revoke")
@slug
@token_id
@json_option
def revoke(*, slug: str, token_id: int) -> None:
    """Revoke a webhook token. The next call with it is refused."""
    with transaction() as session:
        webhook_tokens.revoke_webhook_token(session, store.find(session, slug), token_id)
    print_result({"id": token_id, "revoked": True}, f"Token {token_id} of {slug} is revoked.")
