"""flask calls: what became of an organization's calls, and trying an answer again that did not reach its flow."""

import click

from glific_gpt.calls import records
from glific_gpt.calls import timeline as stories
from glific_gpt.calls.deferred import recovery
from glific_gpt.calls.queries import Filters
from glific_gpt.calls.tables import STATUSES
from glific_gpt.calls.timeline import CallTimeline
from glific_gpt.cli.arguments import slug
from glific_gpt.cli.group import Group
from glific_gpt.cli.output import emit, json_option, plain, table
from glific_gpt.database import transaction
from glific_gpt.organizations import store
from glific_gpt.schemas import CallStoryView, CallView, webhook_url
from glific_gpt.services import services

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
HAPPENINGS = {"at": "UTC", "after": "AFTER", "what": "WHAT"}

GIVEN_UP = {
    "undelivered": "The flow did not get the answer. To try it again within a day: {}",
    "uncertain": "The flow may have the answer: look at it in Glific. To try it again within a day: {}",
    "not kept": "The answer is not kept any more: only a new question gets a new one.",
}

call_id = click.argument("call_id", metavar="CALL_ID")

calls = Group(
    "calls",
    short_help="What became of an organization's calls.",
    help="""What became of an organization's calls. Questions and answers are not kept; what has not reached its flow
    yet is, encrypted, and an answer that was given up for a day.

    \b
    Example:
      flask calls list seva-trust --status error --limit 10
      flask calls show seva-trust CALL_ID
    """,
)


@calls.command("list")
@slug
@click.option("--limit", type=click.IntRange(1, MOST), default=records.PAGE_SIZE, show_default=True, help="How many.")
@click.option("--status", type=click.Choice(STATUSES), help="Only those with this status.")
@click.option("--before", metavar="CALL_ID", help="Only those that came before this call.")
@json_option
def list_(*, slug: str, limit: int, status: str | None, before: str | None) -> None:
    """List calls, newest first."""
    with transaction() as session:
        organization = store.find(session, slug)
        rows = records.list_calls(session, organization.id, limit=limit, before=before, filters=Filters(status=status))
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


@calls.command("show")
@slug
@call_id
@json_option
def show(*, slug: str, call_id: str) -> None:
    """Tell the whole story of a call: accepted, asked, answered, resumed."""
    story = _find(slug, call_id)
    advice = _advice(story, f"flask calls retry {slug} {call_id}")
    emit(plain(CallStoryView.telling(story)), "\n\n".join(filter(None, (_told(story), advice))))


@calls.command("retry")
@slug
@call_id
@json_option
def retry(*, slug: str, call_id: str) -> None:
    """Try an answer again that did not reach its flow; OpenAI is not asked twice."""
    with transaction() as session:
        organization = store.find(session, slug)
    engine = services().engine
    try:
        recovery.retry_delivery(engine, organization.id, call_id)
    finally:
        engine.close()
    data = plain(CallStoryView.telling(_find(slug, call_id)))
    emit(data, f"It is tried again. To see what becomes of it: flask calls show {slug} {call_id}")


def _find(slug: str, call_id: str) -> CallTimeline:
    with transaction() as session:
        return stories.find_timeline(session, store.find(session, slug).id, call_id)


def _told(story: CallTimeline) -> str:
    call, first = story.call, story.call.started_at
    lines = [
        {"at": f"{at:%H:%M:%S.%f}"[:-5], "after": f"+{(at - first).total_seconds():.1f} s", "what": what}
        for at, what in stories.events(story)
    ]
    return f"{call.call_id} of {first:%Y-%m-%d}: {call.status}\n\n{table(lines, HAPPENINGS)}"


def _advice(story: CallTimeline, retry: str) -> str:
    """What to do, where there is something to do."""
    delivery = story.delivery
    if delivery is None or delivery.state == "delivered":
        return "It is being answered at this moment." if story.call.status == "started" else ""
    if delivery.state in stories.FAILED_DELIVERY_STATES:
        return GIVEN_UP[delivery.state if delivery.answer else "not kept"].format(retry)
    if stories.is_stuck(story, services().settings.deferred_timeout_seconds):
        return f"It is pending for long: is a worker running? Where one is, its work was lost: {retry}"
    return f"It is on its way; tries so far: {delivery.tries}. {delivery.said or ''}".strip()
