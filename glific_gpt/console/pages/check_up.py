"""Check everything: the doctor, from a page."""

from typing import Any

from flask import render_template, request

from glific_gpt import doctor
from glific_gpt.console.blueprint import blueprint
from glific_gpt.console.lock import Lock, needs
from glific_gpt.console.pages.use_in_glific import RULE, page
from glific_gpt.console.shown import whatsapp
from glific_gpt.console.shown.advice import PAGE_NAMES
from glific_gpt.console.shown.check_up import check_up as shown

WITHOUT_A_QUESTION = "dry_run"


@blueprint.post(f"{RULE}/check")
@needs(Lock.EDITOR)
def check_up(slug: str) -> str:
    """Asks one real question unless told otherwise. A part of the page where scripts run, else the whole page."""
    dry_run = WITHOUT_A_QUESTION in request.form
    found = shown(list(doctor.examine(slug, dry_run=dry_run)), dry_run=dry_run)
    words: dict[str, Any] = {"check_up": found, "page_names": PAGE_NAMES, "bubble": whatsapp.shown}
    if "HX-Request" in request.headers:
        return render_template("console/_check_up.html", **words)
    return page(**words)
