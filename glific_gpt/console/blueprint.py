"""The console's blueprint: every page hangs on it, behind its lock and its guard against forged forms."""

from flask import Blueprint, Response, redirect, request, url_for
from flask_wtf.csrf import CSRFProtect

from glific_gpt.console import access, security_headers, uploads

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


blueprint.before_request(access.admit)
blueprint.before_request(uploads.take_forms_alone)
blueprint.before_request(_refuse_forged_forms)
blueprint.after_request(security_headers.protect)


front = Blueprint("front", __name__)


@front.get("/")
def index() -> Response:
    return redirect(url_for("console.home"))  # type: ignore[return-value]
