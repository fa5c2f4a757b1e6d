"""GET /livez and /readyz, for load balancers, and GET /metrics, for Prometheus."""

import hmac

from flask import Blueprint, Response, jsonify, request
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Unauthorized

from glific_gpt.operations.readiness import current_readiness
from glific_gpt.services import services

MSG_UNAUTHORIZED = "The token for metrics is missing or wrong. Send it as Authorization: Bearer <token>."

# They need no token, cost nothing and reveal nothing but the status.
health = Blueprint("health", __name__)
blueprint = Blueprint("monitoring", __name__)


@health.get("/livez")
def livez() -> Response:
    """Liveness: the process runs."""
    # Without the database: to restart a process that cannot reach it would not help.
    return jsonify(status="ok")


@health.get("/readyz")
def readyz() -> tuple[Response, int]:
    """Readiness: 503 unless this process can write to the database and has its migrations and encryption keys."""
    if current_readiness().is_ready():
        return jsonify(status="ok"), 200
    return jsonify(status="unavailable"), 503


@blueprint.get("/metrics")
def metrics() -> Response:
    """Return the metrics in Prometheus' text format."""
    _authenticate()
    from glific_gpt.operations import exposition  # few servers need it, and the import takes time

    response = Response(exposition.render(), content_type=exposition.CONTENT_TYPE)
    response.headers["Cache-Control"] = "no-store"
    return response


def _authenticate() -> None:
    """Raises Unauthorized. The time of the comparison does not depend on the token that was sent."""
    expected = services().settings.metrics_token
    authorization = request.authorization
    sent = authorization.token if authorization and authorization.type == "bearer" else None
    if expected is None or not hmac.compare_digest((sent or "").encode(), expected.get_secret_value().encode()):
        raise Unauthorized(MSG_UNAUTHORIZED, www_authenticate=WWWAuthenticate("bearer"))
