"""Calls: the list, newest first, which updates itself; the story of one; the list as a sheet; trying one again."""

from flask import Response, abort, flash, redirect, render_template, request, stream_with_context, url_for
from flask_babel import gettext as _

from glific_gpt.calls import queries, records
from glific_gpt.calls import timeline as stories
from glific_gpt.calls.deferred import recovery
from glific_gpt.calls.tables import Call
from glific_gpt.calls.timeline import FAILED_DELIVERY_STATES, CallTimeline
from glific_gpt.clock import now
from glific_gpt.console.access import Lock, needs, organization
from glific_gpt.console.blueprint import blueprint
from glific_gpt.console.forms import call_filters
from glific_gpt.console.forms.call_filters import CallFilters
from glific_gpt.console.presenters import calls_csv, labels
from glific_gpt.console.presenters.advice import MENDED_AT, PAGE_NAMES, advise
from glific_gpt.console.presenters.labels import sentence
from glific_gpt.console.presenters.timeline import timeline
from glific_gpt.database import reading, transaction
from glific_gpt.errors import Conflict
from glific_gpt.services import services

PAGE = 50
GLIFIC_WAITS_MS = 5000
LIST = "/organizations/<slug>/calls"


@blueprint.get(LIST)
@needs(Lock.VIEWER)
def list_calls(slug: str) -> tuple[str, int]:
    """A page; for one that updates itself only what may have changed."""
    form = call_filters.from_address()
    valid = not request.args or form.validate()
    before = request.args.get("before") or None
    rows, later = _rows(form, before) if valid else ([], set())
    wanted = call_filters.chosen()
    shown = {
        "calls": rows[:PAGE],
        "came_later": later,
        "older": rows[PAGE - 1].call_id if len(rows) > PAGE else None,
        "before": before,
        "chosen": wanted,
        "words": labels,
        "too_late_ms": GLIFIC_WAITS_MS,
        "exported": queries.MAX_EXPORTED_ROWS,
    }
    if "HX-Request" in request.headers:
        return render_template("console/_calls.html", slug=slug, **shown), 200
    _offer(form)
    return render_template("console/calls.html", form=form, slug=slug, **shown), 200 if valid else 422


@blueprint.get(f"{LIST}.csv")
@needs(Lock.VIEWER)
def export_calls(slug: str) -> Response:
    """What the filters of the address leave, as a file."""
    form = call_filters.from_address()
    if request.args and not form.validate():
        abort(422)
    rows = queries.iterate_calls(organization().id, form.filters(), limit=queries.MAX_EXPORTED_ROWS + 1)
    name = f"calls-{slug}-{now():%Y-%m-%d}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    body = stream_with_context(calls_csv.lines(rows, queries.MAX_EXPORTED_ROWS))
    return Response(body, content_type="text/csv; charset=utf-8", headers=headers)


@blueprint.get(f"{LIST}/<call_id>")
@needs(Lock.VIEWER)
def show_call(slug: str, call_id: str) -> str:
    with transaction() as session:
        story = stories.find_timeline(session, organization().id, call_id)
    trouble = labels.trouble(story.call)
    return render_template(
        "console/call.html",
        call=story.call,
        story=story,
        events=timeline(story),
        trouble=trouble,
        advice=advise(trouble) if trouble else None,
        mended_at=MENDED_AT.get(trouble or ""),
        page_names=PAGE_NAMES,
        words=labels,
        can_retry=_can_be_tried_again(story),
        too_late_ms=GLIFIC_WAITS_MS,
    )


@blueprint.post(f"{LIST}/<call_id>/retry")
@needs(Lock.EDITOR)
def retry_call(slug: str, call_id: str) -> Response:
    try:
        recovery.retry_delivery(services().engine, organization().id, call_id)
    except Conflict as refused:
        flash(sentence(refused), "error")
    else:
        flash(_("The server is trying again. Reload this page in a moment to see the result."), "success")
    return redirect(url_for("console.show_call", slug=slug, call_id=call_id))  # type: ignore[return-value]


def _rows(form: CallFilters, before: str | None) -> tuple[list[Call], set[str]]:
    """One more than a page holds, if there are more; and those whose flow waited. Raises NotFound."""
    with transaction() as session:
        records.mark_interrupted(session)
    with reading() as session:
        rows = queries.list_calls(session, organization().id, limit=PAGE + 1, before=before, filters=form.filters())
        return rows, stories.deferred_call_ids(session, rows)


def _offer(form: CallFilters) -> None:
    with reading() as session:
        form.offer(
            queries.recent_models(session, organization().id), queries.recent_error_codes(session, organization().id)
        )


def _can_be_tried_again(story: CallTimeline) -> bool:
    """While the answer, or the question, is kept; and where the work on it was lost."""
    delivery = story.delivery
    if delivery is None or delivery.state == "delivered":
        return False
    if delivery.state in FAILED_DELIVERY_STATES:
        return delivery.answer is not None or delivery.answered_at is None
    return stories.is_stuck(story, services().settings.deferred_timeout_seconds)
