"""The monthly report of all organizations, for administrators, and the rate of the rupee."""

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from glific_gpt.console.access import AccessLevel, requires
from glific_gpt.console.blueprint import blueprint
from glific_gpt.console.forms.rupee_rate import RupeeRateForm
from glific_gpt.console.presenters import report as texts
from glific_gpt.console.presenters.report_csv import server_csv
from glific_gpt.console.views.report import csv_download
from glific_gpt.database import reading, transaction
from glific_gpt.errors import InvalidValue
from glific_gpt.organizations.rupee_rate import MSG_DATE, find_rate, remove_rate, set_rate
from glific_gpt.usage.months import find_month
from glific_gpt.usage.report_lines import ReportLine
from glific_gpt.usage.server_report import build_server_report, list_server_months


@blueprint.get("/server/report")
@requires(AccessLevel.ADMINISTRATOR)
def server_report() -> str:
    form = RupeeRateForm(formdata=None)
    with reading() as session:
        form.show(find_rate(session))
    return _render(form)


@blueprint.get("/server/report.csv")
@requires(AccessLevel.ADMINISTRATOR)
def export_server_report() -> Response:
    with reading() as session:
        month = find_month(request.args.get("month"), list_server_months(session))
        rows, rate = build_server_report(session, month.first), find_rate(session)
    return csv_download(server_csv(rows, rate), f"report-{month}.csv")


@blueprint.post("/server/report/rate")
@requires(AccessLevel.ADMINISTRATOR)
def save_rupee_rate() -> ResponseReturnValue:
    """Save the rate, or remove it if the field is empty."""
    form = RupeeRateForm()
    if not _save(form):
        return _render(form), 422
    flash(_("Saved. Reports show dollars only.") if form.is_empty else _("Saved. Reports use this rate."), "success")
    return redirect(url_for("console.server_report", month=request.args.get("month")))


def _save(form: RupeeRateForm) -> bool:
    """Return False if the form has errors."""
    if form.is_empty:
        with transaction() as session:
            remove_rate(session)
        return True
    rate = form.rate() if form.validate() else None
    if rate is None:
        return False
    try:
        with transaction() as session:
            set_rate(session, rate)
    except InvalidValue as error:
        form.add_error(error, "day" if str(error) == MSG_DATE else "rupees")
        return False
    return True


def _render(form: RupeeRateForm) -> str:
    with reading() as session:
        months = list_server_months(session)
        month = find_month(request.args.get("month"), months)
        rows, rate = build_server_report(session, month.first), find_rate(session)
    # Each organization has its own contacts, so the people can be added.
    total = sum((row.report.total for row in rows), ReportLine())
    return render_template(
        "console/server_report.html",
        form=form,
        rows=rows,
        month=month,
        months=months,
        rate=rate,
        total=total,
        notes=texts.build_server_notes(total, sum(row.report.deleted.calls for row in rows), rate),
        texts=texts,
    )
