"""The API's description: the OpenAPI document, and a page to read and try it, all served by us."""

from flask import Blueprint, Response, current_app, json

documents = Blueprint("documents", __name__, url_prefix="/api")


@documents.get("/openapi.json")
def openapi() -> Response:
    return Response(json.dumps(current_app.api_doc), mimetype="application/json")  # type: ignore[attr-defined]
