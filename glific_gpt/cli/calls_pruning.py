"""flask calls prune: deletion of old calls."""

import sys
from datetime import datetime

import click

from glific_gpt.audit import trail
from glific_gpt.audit.actions import Action
from glific_gpt.calls import pruning
from glific_gpt.calls.pruning import OldCalls
from glific_gpt.cli.output import json_option, print_result, quantity, wants_json
from glific_gpt.database import transaction
from glific_gpt.services import services
from glific_gpt.settings import MAX_KEPT_DAYS


@click.option(
    "--days",
    type=click.IntRange(1, MAX_KEPT_DAYS),
    help="Days to keep. Default: GLIFIC_GPT_KEEP_CALLS_DAYS.",
)
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@json_option
def prune(*, days: int | None, yes: bool) -> None:
    """Delete calls that are older than a number of days.

    Days are in UTC. The daily totals of the calls remain, so reports do not change. Calls in progress are kept. Calls
    are answered meanwhile. If the server itself keeps calls longer, the command asks for confirmation at a terminal.
    """
    setting = services().settings.keep_calls_days
    kept_days = days or setting
    if not kept_days:
        raise click.ClickException("GLIFIC_GPT_KEEP_CALLS_DAYS is 0, which keeps all calls. Add --days N.")
    before = pruning.first_kept_moment(kept_days)
    found = pruning.count(before)
    # The server itself would not delete these calls.
    is_unusual = setting == 0 or kept_days < setting
    if found.calls and is_unusual and not yes and sys.stdin.isatty():
        question = f"{_describe(found)} from before {before:%Y-%m-%d} will be deleted. Continue?"
        click.confirm(question, abort=True, err=True)
    deleted = _prune_with_progress(kept_days, before, found.calls)
    text = f"Deleted {quantity(deleted, 'call')} from before {before:%Y-%m-%d} (UTC). The daily totals remain."
    print_result({"deleted": deleted, "before": f"{before:%Y-%m-%d}"}, text)


def _describe(found: OldCalls) -> str:
    return f"{quantity(found.calls, 'call')} of {quantity(found.organizations, 'organization')}"


def _prune_with_progress(days: int, before: datetime, total: int) -> int:
    deleted = 0
    hidden = wants_json() or not sys.stderr.isatty()
    try:
        with click.progressbar(length=total, label="Deleting", file=sys.stderr, hidden=hidden) as bar:
            for count in pruning.prune(before):
                deleted += count
                bar.update(count)
    finally:
        # Also after Ctrl-C: the calls so far are deleted.
        if deleted:
            with transaction() as session:
                trail.record(session, Action.CALLS_PRUNED, days=days, deleted=deleted)
    return deleted
