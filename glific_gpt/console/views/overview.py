"""The first page of an organization: what it needs, what is left to set up, and how its calls went."""

from typing import get_args

from flask import render_template, request

from glific_gpt.console.access import Lock, needs, organization
from glific_gpt.console.blueprint import blueprint
from glific_gpt.console.presenters import alerts, setup_steps
from glific_gpt.console.presenters.charts import charts
from glific_gpt.console.presenters.labels import calls_with, error_name
from glific_gpt.console.presenters.metric_cards import cards
from glific_gpt.credentials import store as credentials
from glific_gpt.database import reading
from glific_gpt.services import services
from glific_gpt.usage import reports
from glific_gpt.usage.alerts import Need, NeedCode
from glific_gpt.usage.alerts import needs as needed
from glific_gpt.usage.reports import Days
from glific_gpt.usage.setup_checklist import Checklist, checklist

RANGES: tuple[Days, ...] = get_args(Days)
USUAL: Days = 30


@blueprint.get("/organizations/<slug>/")
@needs(Lock.VIEWER)
def overview(slug: str) -> str:
    app, found, days = services(), organization(), _days()
    with reading() as session:
        credential = credentials.find_if_any(session, found.id, app.language_models)
        wanted = needed(session, found, credential)
        todo = checklist(session, found, credential, app.settings.models)
        report = reports.overview(session, found.id, days)
    return render_template(
        "console/overview.html",
        banners=[alerts.banner(need) for need in wanted if not _is_a_step(need, todo)],
        checklist=todo,
        steps=setup_steps.steps(todo),
        report=report,
        cards=cards(report),
        charts=charts(report),
        days=days,
        ranges=RANGES,
        calls_with=calls_with,
        error_name=error_name,
    )


def _days() -> Days:
    """Whatever else the address asks for is the usual."""
    asked = request.args.get("days")
    return next((days for days in RANGES if str(days) == asked), USUAL)


def _is_a_step(need: Need, todo: Checklist) -> bool:
    """Who has never had an answer is not alarmed about the key: adding it is the first step."""
    return need.code is NeedCode.KEY_MISSING and not todo.call
