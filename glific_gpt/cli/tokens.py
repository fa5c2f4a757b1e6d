"""flask tokens: webhook tokens, which webhook nodes send to be let in."""

from glific_gpt.cli.arguments import label, slug, token_id
from glific_gpt.cli.group import Group
from glific_gpt.cli.output import emit, fields, json_option, plain, shown_once, table
from glific_gpt.database import transaction
from glific_gpt.organizations import store
from glific_gpt.organizations import tokens as webhook_tokens
from glific_gpt.schemas import TokenView

COLUMNS = {"id": "ID", "created_at": "CREATED", "label": "LABEL"}

tokens = Group(
    "tokens",
    short_help="Webhook tokens of an organization.",
    help="""Webhook tokens: what an organization's webhook nodes send to be let in. An organization can have
    several, so that one can replace another without a pause.

    \b
    Example:
      flask tokens create seva-trust --label "menu flow"
      flask tokens revoke seva-trust 1
    """,
)


@tokens.command("create")
@slug
@label
@json_option
def create(*, slug: str, label: str) -> None:
    """Make a webhook token."""
    with transaction() as session:
        row, token = webhook_tokens.create_webhook_token(session, store.find(session, slug), label)
    data = {"id": row.id, "label": row.label}
    use = "The webhook node sends it in the header Authorization: Bearer <token>."
    emit(data | {"token": token}, fields(data) + "\n" + shown_once("token", token, use))


@tokens.command("list")
@slug
@json_option
def list_(*, slug: str) -> None:
    """List an organization's webhook tokens, without the secrets."""
    with transaction() as session:
        rows = webhook_tokens.list_webhook_tokens(session, store.find(session, slug))
    listed = [plain(TokenView.of(row)) for row in rows]
    empty = f"No webhook tokens. Make one: flask tokens create {slug} --label LABEL"
    emit(listed, table(listed, COLUMNS) if listed else empty)


@tokens.command("revoke")
@slug
@token_id
@json_option
def revoke(*, slug: str, token_id: int) -> None:
    """Let a webhook token in no more, from the next call on."""
    with transaction() as session:
        webhook_tokens.revoke_webhook_token(session, store.find(session, slug), token_id)
    emit({"id": token_id, "revoked": True}, f"Token {token_id} of {slug} opens nothing any more.")
