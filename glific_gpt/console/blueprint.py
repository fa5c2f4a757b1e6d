"""The console's blueprint: every page hangs on it, behind its lock and its guard against forged forms."""

from flask import Blueprint, request
from flask_wtf.csrf import CSRFProtect

from glific_gpt.console import headers, lock, uploads

blueprint = Blueprint(
    "console",
    __name__,
    url_prefix="/console",
    static_folder="static",
    template_folder="templates",
)
csrf = CSRFProtect()


def _refuse_forged_forms() -> None:
    """For the console's own addresses: programs that call the webhook or the JSON API have no form to send."""
    if request.method not in ("GET", "HEAD", "OPTIONS"):
        csrf.protect()


blueprint.before_request(lock.admit)
blueprint.before_request(uploads.take_forms_alone)
blueprint.before_request(_refuse_forged_forms)
blueprint.after_request(headers.protect)
