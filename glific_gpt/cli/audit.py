"""flask audit: the audit log."""

import json
from typing import Any

import click

from glific_gpt.audit import trail
from glific_gpt.cli.group import Group
from glific_gpt.cli.output import format_table, json_option, print_result, to_json
from glific_gpt.database import transaction
from glific_gpt.organizations import store
from glific_gpt.schemas import AuditEntryView

MAX_ENTRIES = 10_000
EMPTY = "No changes are recorded yet."
COLUMNS = {
    "id": "ID",
    "at": "TIME (UTC)",
    "organization": "ORGANIZATION",
    "actor": "ACTOR",
    "action": "ACTION",
    "detail": "DETAILS",
}

audit = Group(
    "audit",
    short_help="The audit log of changes.",
    help="""Show who changed what and when, in the console, by the JSON API or by a command. Entries are kept for
    400 days and never contain secrets.

    \b
    Example:
      flask audit list --limit 20
      flask audit list seva-trust
    """,
)


@audit.command("list")
@click.argument("slug", required=False)
@click.option(
    "--limit", type=click.IntRange(1, MAX_ENTRIES), default=trail.PAGE_SIZE, show_default=True, help="Maximum."
)
@click.option("--before", metavar="ID", type=click.IntRange(min=1, max=2**63 - 1), help="Only older entries.")
@json_option
def list_(*, slug: str | None, limit: int, before: int | None) -> None:
    """List changes of one organization, or of all, newest first."""
    with transaction() as session:
        # An empty slug, for example from an unset shell variable, must not list everything.
        organization_id = None if slug is None else store.find(session, slug).id
        entries = trail.list_entries(session, organization_id, limit=limit, before=before)
    rows = [to_json(AuditEntryView.of(entry)) for entry in entries]
    text = format_table([row | {"detail": _format_detail(row["detail"])} for row in rows], COLUMNS) if rows else EMPTY
    if len(rows) == limit:
        text += f"\n\nOlder entries: add --before {rows[-1]['id']}"
    print_result(rows, text)


def _format_detail(detail: dict[str, Any]) -> str:
    return ", ".join(f"{name}: {_format_value(value)}" for name, value in detail.items())


def _format_value(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
