"""API documentation: the OpenAPI document and a Swagger UI page, without files of other hosts."""

from importlib.resources import files
from pathlib import Path
from typing import cast

from flask import Blueprint, Response, abort, current_app, json, send_from_directory
from flask_openapi.openapi import OpenAPI

from glific_gpt.api.webhook_operations import add_webhooks
from glific_gpt.services import services

documents = Blueprint("documents", __name__, url_prefix="/api")

STATIC = Path(__file__).parent / "static"
SWAGGER = Path(str(files("flask_openapi_swagger"))) / "templates" / "swagger"
ASSETS = {
    "docs.js": STATIC,
    "swagger-ui.css": SWAGGER / "css",
    "swagger-ui-bundle.js": SWAGGER / "js",
}
"""Files that the page loads, with their folders."""

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Only files of this server. Swagger UI needs inline styles."""


@documents.get("/openapi.json")
def openapi() -> Response:
    """Return the OpenAPI document: the JSON API, and the functions of the webhook."""
    document = add_webhooks(cast("OpenAPI", current_app).api_doc, services().functions.all())
    response = Response(json.dumps(document), mimetype="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response


@documents.get("/docs")
def page() -> Response:
    """Return the Swagger UI page."""
    return send_from_directory(STATIC, "docs.html")


@documents.get("/docs/<name>")
def asset(name: str) -> Response:
    """Return a file that the page loads."""
    if name not in ASSETS:
        abort(404)
    return send_from_directory(ASSETS[name], name)


@documents.after_request
def _add_security_headers(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
