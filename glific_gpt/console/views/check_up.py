"""Use it in Glific, test: runs the doctor from a page."""

import math
from typing import Any

from flask import render_template, request
from flask_babel import gettext

from glific_gpt.console.access import AccessLevel, requires
from glific_gpt.console.blueprint import blueprint
from glific_gpt.console.checkup_throttle import throttle
from glific_gpt.console.presenters import whatsapp
from glific_gpt.console.presenters.advice import PAGE_NAMES
from glific_gpt.console.presenters.check_up import CheckUp
from glific_gpt.console.presenters.check_up import present_check_up as shown
from glific_gpt.console.views.use_in_glific import USE_IN_GLIFIC_URL, render_tab
from glific_gpt.errors import N_
from glific_gpt.operations import doctor
from glific_gpt.operations.doctor import CheckResult, CheckStatus

DRY_RUN_FIELD = "dry_run"

ALREADY_RUNNING = N_("A test of this organization is already running. Try again when it has finished.")
TOO_SOON = N_(
    "A test question was asked a moment ago, and each question costs money. Try again in %(seconds)s "
    "seconds, or test without a question."
)


@blueprint.get(f"{USE_IN_GLIFIC_URL}/check")
@requires(AccessLevel.VIEWER)
def show_check_up(slug: str) -> str:
    return render_tab("check_up_card", check_up=None)


@blueprint.post(f"{USE_IN_GLIFIC_URL}/check")
@requires(AccessLevel.EDITOR)
def check_up(slug: str) -> str:
    """Run the test. It asks one real question, unless the form asks for a dry run.

    An htmx request gets only a part of the page, a browser without scripts the whole page.
    """
    dry_run = DRY_RUN_FIELD in request.form
    result = _run_check_up(slug, dry_run=dry_run)
    error = result if isinstance(result, str) else ""
    variables: dict[str, Any] = {"check_up": None if error else result, "check_up_error": error}
    variables |= {"page_names": PAGE_NAMES, "whatsapp_text": whatsapp.render_message}
    if "HX-Request" in request.headers:
        return render_template("console/_check_up.html", **variables)
    return render_tab("check_up_card", **variables)


def _run_check_up(slug: str, *, dry_run: bool) -> CheckUp | str:
    """Return the results, or an error sentence if the throttle refuses the test."""
    if not throttle().try_begin(slug):
        return str(gettext(ALREADY_RUNNING))
    findings: list[CheckResult] = []
    try:
        if not dry_run and (seconds := throttle().remaining_seconds(slug)):
            return str(gettext(TOO_SOON, seconds=math.ceil(seconds)))
        findings.extend(doctor.run_checks(slug, dry_run=dry_run))
        return shown(findings, dry_run=dry_run)
    finally:
        throttle().end(slug, has_asked=_asked_question(findings))


def _asked_question(findings: list[CheckResult]) -> bool:
    return any(finding.check == "call" and finding.status is not CheckStatus.SKIPPED for finding in findings)
