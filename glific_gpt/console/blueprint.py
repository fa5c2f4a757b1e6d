"""The console's blueprint, with the checks that run before every page."""

from flask import Blueprint, Response, redirect, request, url_for
from flask_wtf.csrf import CSRFProtect

from glific_gpt.console import access, security_headers, uploads
from glific_gpt.services import limit_pages

blueprint = Blueprint(
    "console",
    __name__,
    url_prefix="/console",
    template_folder="templates",
)
csrf = CSRFProtect()


def _check_csrf_token() -> None:
    """Check the CSRF token here only: clients of the webhook and the JSON API send no forms and no cookies."""
    if request.method not in ("GET", "HEAD", "OPTIONS"):
        csrf.protect()


# The order matters: a request without access must not reach the checks that read its body.
blueprint.before_request(access.authorize)
limit_pages(blueprint)
blueprint.before_request(access.count_page_without_organization)
blueprint.before_request(uploads.reject_unexpected_uploads)
blueprint.before_request(_check_csrf_token)
blueprint.after_request(security_headers.set_security_headers)


root = Blueprint("root", __name__)


@root.get("/")
def index() -> Response:
    """Redirect the root address to the console."""
    return redirect(url_for("console.home"))  # type: ignore[return-value]
