"""Check everything: the doctor, from a page."""

import math
from typing import Any

from flask import render_template, request
from flask_babel import gettext

from glific_gpt import doctor
from glific_gpt.console.access import Lock, needs
from glific_gpt.console.blueprint import blueprint
from glific_gpt.console.checkup_throttle import turns
from glific_gpt.console.presenters import whatsapp
from glific_gpt.console.presenters.advice import PAGE_NAMES
from glific_gpt.console.presenters.check_up import CheckUp
from glific_gpt.console.presenters.check_up import check_up as shown
from glific_gpt.console.views.use_in_glific import RULE, page
from glific_gpt.doctor import CheckResult, CheckStatus
from glific_gpt.errors import N_

WITHOUT_A_QUESTION = "dry_run"

UNDER_WAY = N_("A test of this organization is already running. Try again when it has finished.")
TOO_SOON = N_(
    "A test question was asked a moment ago, and each question costs money. Try again in %(seconds)s "
    "seconds, or test without a question."
)


@blueprint.post(f"{RULE}/check")
@needs(Lock.EDITOR)
def check_up(slug: str) -> str:
    """Asks one real question unless told otherwise. A part of the page where scripts run, else the whole page."""
    dry_run = WITHOUT_A_QUESTION in request.form
    found = _in_turn(slug, dry_run=dry_run)
    refused = found if isinstance(found, str) else ""
    words: dict[str, Any] = {"check_up": None if refused else found, "check_up_refused": refused}
    words |= {"page_names": PAGE_NAMES, "bubble": whatsapp.shown}
    if "HX-Request" in request.headers:
        return render_template("console/_check_up.html", **words)
    return page(**words)


def _in_turn(slug: str, *, dry_run: bool) -> CheckUp | str:
    """What was found; a sentence when it is not this one's turn."""
    if not turns().begin(slug):
        return str(gettext(UNDER_WAY))
    findings: list[CheckResult] = []
    try:
        if not dry_run and (seconds := turns().pause(slug)):
            return str(gettext(TOO_SOON, seconds=math.ceil(seconds)))
        findings.extend(doctor.examine(slug, dry_run=dry_run))
        return shown(findings, dry_run=dry_run)
    finally:
        turns().end(slug, has_asked=_has_asked(findings))


def _has_asked(findings: list[CheckResult]) -> bool:
    return any(finding.check == "call" and finding.verdict is not CheckStatus.SKIPPED for finding in findings)
