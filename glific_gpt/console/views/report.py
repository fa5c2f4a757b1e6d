"""The monthly report of an organization, on a page that can be printed, and as CSV."""

from flask import Response, render_template, request

from glific_gpt.console.access import AccessLevel, current_organization, requires
from glific_gpt.console.blueprint import blueprint
from glific_gpt.console.presenters import report as texts
from glific_gpt.console.presenters.report_csv import report_csv
from glific_gpt.database import reading
from glific_gpt.organizations.rupee_rate import RupeeRate, find_rate
from glific_gpt.usage.monthly_report import MonthlyReport, build_report
from glific_gpt.usage.months import Month, find_month
from glific_gpt.usage.server_report import list_organization_months


@blueprint.get("/organizations/<slug>/report")
@requires(AccessLevel.VIEWER)
def report(slug: str) -> str:
    months, found, rate = _build()
    return render_template(
        "console/report.html",
        report=found,
        months=months,
        rate=rate,
        cards=texts.build_cards(found.total, rate),
        notes=texts.build_notes(found, rate),
        texts=texts,
    )


@blueprint.get("/organizations/<slug>/report.csv")
@requires(AccessLevel.VIEWER)
def export_report(slug: str) -> Response:
    _months, found, rate = _build()
    return csv_download(report_csv(current_organization().name, found, rate), f"report-{slug}-{found.month}.csv")


def csv_download(text: str, name: str) -> Response:
    """Return a response that browsers save as a CSV file. The name must be ASCII."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(text, content_type="text/csv; charset=utf-8", headers=headers)


def _build() -> tuple[list[Month], MonthlyReport, RupeeRate | None]:
    """Return the months to choose from, the report of the requested one, and the rate of the rupee."""
    organization = current_organization()
    with reading(organization.id) as session:
        months = list_organization_months(session, organization)
        found = build_report(session, organization.id, find_month(request.args.get("month"), months))
        return months, found, find_rate(session)
