"""flask audit: who changed what, and when."""

import json
from typing import Any

import click

from glific_gpt.audit import trail
from glific_gpt.cli.group import Group
from glific_gpt.cli.output import emit, json_option, plain, table
from glific_gpt.database import transaction
from glific_gpt.organizations import store
from glific_gpt.schemas import AuditView

MOST = 10_000
EMPTY = "Nothing was changed yet."
COLUMNS = {
    "id": "ID",
    "at": "AT (UTC)",
    "organization": "ORGANIZATION",
    "actor": "WHO",
    "action": "WHAT",
    "detail": "DETAIL",
}

audit = Group(
    "audit",
    short_help="Who changed what, and when.",
    help="""Who changed what, and when: over the console, the JSON API or a command. Entries are kept for 400 days,
    and never hold a secret.

    \b
    Example:
      flask audit list --limit 20
      flask audit list seva-trust
    """,
)


@audit.command("list")
@click.argument("slug", required=False)
@click.option("--limit", type=click.IntRange(1, MOST), default=trail.PAGE, show_default=True, help="How many.")
@click.option("--before", metavar="ID", type=click.IntRange(min=1, max=2**63 - 1), help="Only those before this entry.")
@json_option
def list_(*, slug: str | None, limit: int, before: int | None) -> None:
    """List changes, newest first: of one organization, or of everything."""
    with transaction() as session:
        # An empty slug, as from a variable that is not set, is an unknown organization and not everything.
        organization_id = None if slug is None else store.find(session, slug).id
        entries = trail.page(session, organization_id, limit=limit, before=before)
    rows = [plain(AuditView.of(entry)) for entry in entries]
    text = table([row | {"detail": _words(row["detail"])} for row in rows], COLUMNS) if rows else EMPTY
    if len(rows) == limit:
        text += f"\n\nFor those before: add --before {rows[-1]['id']}"
    emit(rows, text)


def _words(detail: dict[str, Any]) -> str:
    return ", ".join(f"{name}: {_plain(value)}" for name, value in detail.items())


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
