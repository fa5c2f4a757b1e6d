"""The call list, which updates itself, one call with its timeline, the CSV export, and retries."""

from collections.abc import Callable
from typing import Any

from flask import Response, abort, flash, redirect, render_template, request, stream_with_context, url_for
from flask_babel import gettext as _

from glific_gpt.calls import queries, records
from glific_gpt.calls import timeline as timelines
from glific_gpt.calls.deferred import delivery_records, recovery
from glific_gpt.calls.filters import Filters
from glific_gpt.calls.tables import FAILED_DELIVERY_STATES, Call
from glific_gpt.calls.timeline import CallTimeline
from glific_gpt.console.access import AccessLevel, current_organization, requires
from glific_gpt.console.blueprint import blueprint
from glific_gpt.console.downloads import release_on_error
from glific_gpt.console.forms import call_filters
from glific_gpt.console.forms.call_filters import CallFilters
from glific_gpt.console.presenters import calls_csv, labels
from glific_gpt.console.presenters.advice import PAGE_NAMES, advice_for, fix_page_of
from glific_gpt.console.presenters.labels import translate_error
from glific_gpt.console.presenters.timeline import present_timeline
from glific_gpt.database import reading, transaction
from glific_gpt.errors import MSG_MANY_EXPORTS, Conflict, RateLimited
from glific_gpt.organizations.time_zones import find_zone
from glific_gpt.runtime import cpu_bound
from glific_gpt.runtime.event_loop import blocking
from glific_gpt.runtime.fair_semaphore import FairSemaphore
from glific_gpt.runtime.organization_limit import OrganizationLimit
from glific_gpt.services import services
from glific_gpt.usage.months import today

CALLS_PER_PAGE = 50
GLIFIC_TIMEOUT_MS = 5000
CALLS_URL = "/organizations/<slug>/calls"

organization_exports = OrganizationLimit(1, MSG_MANY_EXPORTS)
export_slot = FairSemaphore(2, max_waiting=4, max_waiting_of_group=1)
"""Two exports at a time, of different organizations: each takes seconds of CPU time, which calls of flows need."""
EXPORT_TIMEOUT_SECONDS = 10.0
"""How long an export waits for those of other organizations."""


@blueprint.get(CALLS_URL)
@requires(AccessLevel.VIEWER)
def list_calls(slug: str) -> tuple[str, int]:
    """Show the list. An htmx request gets only the part that can have changed."""
    form = call_filters.from_query_string()
    valid = not request.args or form.validate()
    before = request.args.get("before") or None
    rows, deferred_ids = _find_calls(form, before) if valid else ([], set())
    active_filters = call_filters.active_filters()
    variables = {
        "calls": rows[:CALLS_PER_PAGE],
        "deferred_ids": deferred_ids,
        "older": rows[CALLS_PER_PAGE - 1].call_id if len(rows) > CALLS_PER_PAGE else None,
        "before": before,
        "active_filters": active_filters,
        "is_filtered": bool(active_filters.keys() - {"sort"}),
        "order": form.order,
        "labels": labels,
        "timeout_ms": GLIFIC_TIMEOUT_MS,
        "max_exported": queries.MAX_EXPORTED_ROWS,
        "kept_days": services().settings.keep_calls_days,
    }
    if "HX-Request" in request.headers:
        # Always 200, because htmx discards responses with an error status.
        return render_template("console/_calls.html", slug=slug, **variables), 200
    variables |= _set_filter_choices(form, count=valid)
    return render_template("console/calls.html", form=form, slug=slug, **variables), 200 if valid else 422


@blueprint.get(f"{CALLS_URL}.csv")
@requires(AccessLevel.VIEWER)
def export_calls(slug: str) -> Response:
    """Download the filtered calls as a CSV file."""
    form = call_filters.from_query_string()
    if request.args and not form.validate():
        abort(422)
    release = _take_export_slot(slug)
    with release_on_error(release):
        response = _stream_calls(slug, form)
    response.call_on_close(release)
    return response


def _stream_calls(slug: str, form: CallFilters) -> Response:
    # One row more than the file may have, so that its last line can say that there are more.
    rows = queries.iterate_calls(current_organization().id, _filters(form), limit=queries.MAX_EXPORTED_ROWS + 1)
    zone = find_zone(current_organization().time_zone)
    name = f"calls-{slug}-{today(zone):%Y-%m-%d}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    lines = cpu_bound.paced(calls_csv.generate_csv(rows, queries.MAX_EXPORTED_ROWS, zone))
    return Response(stream_with_context(lines), content_type="text/csv; charset=utf-8", headers=headers)


@blocking
def _take_export_slot(slug: str) -> Callable[[], None]:
    """Return a function that releases the slot. Raises RateLimited."""
    organization_exports.begin(slug)
    if not export_slot.acquire(slug, EXPORT_TIMEOUT_SECONDS):
        organization_exports.end(slug)
        raise RateLimited(MSG_MANY_EXPORTS, retry_after=10)

    def release() -> None:
        export_slot.release()
        organization_exports.end(slug)

    return release


@blueprint.get(f"{CALLS_URL}/<call_id>")
@requires(AccessLevel.VIEWER)
def show_call(slug: str, call_id: str) -> str:
    """Show one call. Raises NotFound."""
    with transaction() as session:
        call_timeline = timelines.find_timeline(session, current_organization().id, call_id)
    code = labels.failure_code(call_timeline.call)
    return render_template(
        "console/call.html",
        call=call_timeline.call,
        call_timeline=call_timeline,
        events=present_timeline(call_timeline),
        code=code,
        advice=advice_for(code, names_field=call_timeline.call.error_detail is not None) if code else None,
        fault=labels.read_fault(call_timeline.call),
        fix_page=fix_page_of(code or "", call_timeline.call),
        page_names=PAGE_NAMES,
        labels=labels,
        can_retry=_can_retry(call_timeline),
        list_position=_list_position(),
        timeout_ms=GLIFIC_TIMEOUT_MS,
    )


@blueprint.post(f"{CALLS_URL}/<call_id>/retry")
@requires(AccessLevel.EDITOR)
def retry_call(slug: str, call_id: str) -> Response:
    """Try to deliver the answer of a deferred call again."""
    try:
        recovery.retry_delivery(services().engine, current_organization().id, call_id)
    except Conflict as refused:
        flash(translate_error(refused), "error")
    else:
        flash(_("The server is trying again. Reload this page in a moment to see the result."), "success")
    return redirect(url_for("console.show_call", slug=slug, call_id=call_id, **_list_position()))  # type: ignore[return-value]


def _find_calls(form: CallFilters, before: str | None) -> tuple[list[Call], set[str]]:
    """Return the calls and the ids of deferred calls among them. Raises NotFound.

    The list has one call more than a page shows if there are older calls.
    """
    with transaction() as session:
        # In a transaction of its own, because the list is read in a session that cannot write.
        records.mark_interrupted(session)
    with reading(current_organization().id) as session:
        rows = queries.read_sorted(
            session,
            current_organization().id,
            form.order,
            limit=CALLS_PER_PAGE + 1,
            before=before,
            filters=_filters(form),
        )
        return rows, timelines.deferred_call_ids(session, rows)


def _filters(form: CallFilters) -> Filters:
    return form.filters(find_zone(current_organization().time_zone))


def _list_position() -> dict[str, Any]:
    """Return the filters and the page of the list from which this call was opened, for links back."""
    before = request.args.get("before")
    return call_filters.active_filters() | ({"before": before} if before else {})


def _set_filter_choices(form: CallFilters, *, count: bool) -> dict[str, int | None]:
    """Set the choices, and return the number of matching calls, unless the form has errors."""
    with reading(current_organization().id) as session:
        form.set_choices(
            queries.recent_models(session, current_organization().id),
            queries.recent_error_codes(session, current_organization().id),
            queries.recent_flow_ids(session, current_organization().id),
        )
        hits = queries.count_calls(session, current_organization().id, _filters(form)) if count else None
        return {"hits": hits, "max_counted": queries.MAX_COUNTED, "max_sorted": queries.MAX_SORTED}


def _can_retry(call_timeline: CallTimeline) -> bool:
    """Return whether a retry can help: the answer or the question is still stored, or the work on it was lost."""
    delivery = call_timeline.delivery
    if delivery is None or delivery.state == "delivered":
        return False
    if delivery.state in FAILED_DELIVERY_STATES:
        return delivery_records.has_content(delivery)
    return timelines.is_stuck(call_timeline, services().settings.deferred_timeout_seconds)
