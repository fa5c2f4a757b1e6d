"""flask calls: calls of an organization, retries of deliveries, and deletion of old calls."""

import click

from glific_gpt.calls import queries
from glific_gpt.calls import timeline as timelines
from glific_gpt.calls.deferred import delivery_records, recovery
from glific_gpt.calls.filters import Filters
from glific_gpt.calls.tables import FAILED_DELIVERY_STATES, STATUSES
from glific_gpt.calls.timeline import CallTimeline
from glific_gpt.cli.arguments import slug
from glific_gpt.cli.calls_pruning import prune
from glific_gpt.cli.group import Group
from glific_gpt.cli.output import format_table, json_option, print_result, to_json
from glific_gpt.database import transaction
from glific_gpt.organizations import store
from glific_gpt.schemas import CallDetailView, CallView, webhook_url
from glific_gpt.services import services

MAX_CALLS = 10_000
COLUMNS = {
    "call_id": "CALL",
    "at": "TIME (UTC)",
    "function": "FUNCTION",
    "model": "MODEL",
    "status": "STATUS",
    "error_code": "ERROR",
    "duration_ms": "MS",
    "input_tokens": "TOKENS IN",
    "output_tokens": "TOKENS OUT",
    "cost_usd": "USD",
}
EVENT_COLUMNS = {"at": "UTC", "after": "AFTER", "event": "EVENT"}

FAILED_DELIVERY_ADVICE = {
    "undelivered": "The answer was not delivered to the flow. Retry it within a day: {}",
    "uncertain": "The answer may have been delivered. Check the flow in Glific. Retry it within a day: {}",
    "expired": "The answer is no longer stored. Ask the question again.",
}

call_id = click.argument("call_id", metavar="CALL_ID")

calls = Group(
    "calls",
    short_help="Calls of an organization.",
    help="""List calls, retry deliveries, and delete old calls. Questions and answers are not stored. The exception is
    an answer that has not reached its flow yet: it is stored encrypted until it is delivered, or until a day after the
    delivery was given up.

    \b
    Example:
      flask calls list seva-trust --status error --limit 10
      flask calls show seva-trust CALL_ID
    """,
)
calls.command("prune")(prune)


@calls.command("list")
@slug
@click.option(
    "--limit", type=click.IntRange(1, MAX_CALLS), default=queries.PAGE_SIZE, show_default=True, help="Maximum."
)
@click.option("--status", type=click.Choice(STATUSES), help="Only calls with this status.")
@click.option("--before", metavar="CALL_ID", help="Only calls older than this one.")
@json_option
def list_(*, slug: str, limit: int, status: str | None, before: str | None) -> None:
    """List calls, newest first."""
    with transaction() as session:
        organization = store.find(session, slug)
        rows = queries.list_calls(session, organization.id, limit=limit, before=before, filters=Filters(status=status))
    listed = [to_json(CallView.of(row)) for row in rows]
    text = format_table(listed, COLUMNS) if listed else _empty_message(slug, filtered=bool(status or before))
    if len(listed) == limit:
        text += f"\n\nOlder calls: add --before {listed[-1]['call_id']}"
    print_result(listed, text)


def _empty_message(slug: str, *, filtered: bool) -> str:
    if filtered:
        return f"No calls match. To list all calls: flask calls list {slug}"
    address = webhook_url(services().settings.public_url, slug)
    return f"No calls yet. The address for the webhook node is {address}"


@calls.command("show")
@slug
@call_id
@json_option
def show(*, slug: str, call_id: str) -> None:
    """Show a call and its timeline.

    The timeline has the times when the call was accepted, asked, answered and delivered.
    """
    timeline = _find(slug, call_id)
    advice = _advice(timeline, f"flask calls retry {slug} {call_id}")
    text = "\n\n".join(filter(None, (_format_timeline(timeline), advice)))
    print_result(to_json(CallDetailView.from_timeline(timeline)), text)


@calls.command("retry")
@slug
@call_id
@json_option
def retry(*, slug: str, call_id: str) -> None:
    """Retry the delivery of an answer. If OpenAI has answered already, it is not asked again."""
    with transaction() as session:
        organization = store.find(session, slug)
    engine = services().engine
    try:
        recovery.retry_delivery(engine, organization.id, call_id)
    finally:
        engine.close()
    data = to_json(CallDetailView.from_timeline(_find(slug, call_id)))
    print_result(data, f"The delivery is retried. See its result: flask calls show {slug} {call_id}")


def _find(slug: str, call_id: str) -> CallTimeline:
    with transaction() as session:
        return timelines.find_timeline(session, store.find(session, slug).id, call_id)


def _format_timeline(timeline: CallTimeline) -> str:
    call, started_at = timeline.call, timeline.call.started_at
    lines = [
        # strftime has microseconds only; one decimal place of them is shown.
        {"at": f"{at:%H:%M:%S.%f}"[:-5], "after": f"+{(at - started_at).total_seconds():.1f} s", "event": event}
        for at, event in timelines.events(timeline)
    ]
    return f"{call.call_id} of {started_at:%Y-%m-%d}: {call.status}\n\n{format_table(lines, EVENT_COLUMNS)}"


def _advice(timeline: CallTimeline, retry: str) -> str:
    """Return what to do about this call, or an empty string."""
    delivery = timeline.delivery
    if delivery is None or delivery.state == "delivered":
        return "The call is being answered right now." if timeline.call.status == "started" else ""
    if delivery.state in FAILED_DELIVERY_STATES:
        return FAILED_DELIVERY_ADVICE[delivery.state if delivery_records.has_content(delivery) else "expired"].format(
            retry
        )
    if timelines.is_stuck(timeline, services().settings.deferred_timeout_seconds):
        return f"The call is pending for too long. Check that a worker is running. If it is, retry the call: {retry}"
    return f"The delivery is in progress. Attempts so far: {delivery.attempts}. {delivery.last_response or ''}".strip()
