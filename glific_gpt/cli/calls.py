"""flask calls: what became of an organization's calls."""

import click

from glific_gpt.calls import records
from glific_gpt.calls.tables import STATUSES
from glific_gpt.cli.arguments import slug
from glific_gpt.cli.group import Group
from glific_gpt.cli.output import emit, json_option, plain, table
from glific_gpt.database import transaction
from glific_gpt.organizations import store
from glific_gpt.services import services
from glific_gpt.views import CallView, webhook_url

MOST = 10_000
COLUMNS = {
    "call_id": "CALL",
    "at": "AT (UTC)",
    "function": "FUNCTION",
    "model": "MODEL",
    "status": "STATUS",
    "error_code": "ERROR",
    "duration_ms": "MS",
    "input_tokens": "TOKENS IN",
    "output_tokens": "TOKENS OUT",
    "cost_usd": "USD",
}

calls = Group(
    "calls",
    short_help="What became of an organization's calls.",
    help="""What became of an organization's calls. Questions and answers are not kept.

    \b
    Example:
      flask calls list seva-trust --status error --limit 10
    """,
)


@calls.command("list")
@slug
@click.option("--limit", type=click.IntRange(1, MOST), default=records.PAGE, show_default=True, help="How many.")
@click.option("--status", type=click.Choice(STATUSES), help="Only those with this status.")
@click.option("--before", metavar="CALL_ID", help="Only those that came before this call.")
@json_option
def list_(*, slug: str, limit: int, status: str | None, before: str | None) -> None:
    """List calls, newest first."""
    with transaction() as session:
        organization = store.find(session, slug)
        rows = records.page(session, organization.id, limit=limit, status=status, before=before)
    listed = [plain(CallView.of(row)) for row in rows]
    text = table(listed, COLUMNS) if listed else _empty(slug, narrowed=bool(status or before))
    if len(listed) == limit:
        text += f"\n\nFor those before: add --before {listed[-1]['call_id']}"
    emit(listed, text)


def _empty(slug: str, *, narrowed: bool) -> str:
    if narrowed:
        return f"No such calls. All there are: flask calls list {slug}"
    address = webhook_url(services().settings.public_url, slug)
    return f"No calls yet. A webhook node makes one when it posts to {address}"
