"""The overview of an organization: alerts, setup steps and charts of its calls."""

from typing import get_args

from flask import render_template, request

from glific_gpt.alerts.states import list_announced
from glific_gpt.calls.daily_totals import OTHER_MODELS
from glific_gpt.console.access import AccessLevel, current_organization, requires
from glific_gpt.console.blueprint import blueprint
from glific_gpt.console.presenters import alerts, setup_steps
from glific_gpt.console.presenters.charts import build_charts
from glific_gpt.console.presenters.labels import error_name, failed_calls_filter
from glific_gpt.console.presenters.metric_cards import build_metric_cards
from glific_gpt.database import reading
from glific_gpt.organizations.credentials import store as credentials
from glific_gpt.organizations.time_zones import find_zone
from glific_gpt.services import services
from glific_gpt.usage import reports
from glific_gpt.usage.alerts import Alert, AlertCode, list_alerts
from glific_gpt.usage.reports import Days
from glific_gpt.usage.setup_checklist import SetupChecklist, build_checklist

DAY_RANGES: tuple[Days, ...] = get_args(Days)
DEFAULT_DAYS: Days = 30


@blueprint.get("/organizations/<slug>/")
@requires(AccessLevel.VIEWER)
def overview(slug: str) -> str:
    app, organization, days = services(), current_organization(), _requested_days()
    with reading(organization.id) as session:
        credential = credentials.find_or_none(session, organization.id, app.model_provider)
        found_alerts = list_alerts(session, organization, credential)
        found_alerts += list_announced(session, organization.id, {alert.code for alert in found_alerts})
        setup = build_checklist(session, organization, credential, app.settings.models)
        report = reports.build_overview(session, organization.id, days, find_zone(organization.time_zone))
    return render_template(
        "console/overview.html",
        banners=[alerts.present_alert(alert) for alert in found_alerts if not _is_setup_step(alert, setup)],
        checklist=setup,
        steps=setup_steps.build_setup_steps(setup),
        report=report,
        cards=build_metric_cards(report),
        charts=build_charts(report),
        days=days,
        first_day=next(iter(report.days)),
        ranges=DAY_RANGES,
        other_models=OTHER_MODELS,
        calls_with=failed_calls_filter,
        error_name=error_name,
    )


def _requested_days() -> Days:
    """Return the requested period. Other values mean the default."""
    requested = request.args.get("days")
    return next((days for days in DAY_RANGES if str(days) == requested), DEFAULT_DAYS)


def _is_setup_step(alert: Alert, setup: SetupChecklist) -> bool:
    """Return whether the setup steps already show this alert: adding the key is the first step."""
    return alert.code is AlertCode.KEY_MISSING and not setup.test
