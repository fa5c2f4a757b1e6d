"""Health checks. They are cheap, need no token and reveal nothing but the status."""

from flask import Blueprint, Response, jsonify

from glific_gpt.operations.readiness import current_readiness

blueprint = Blueprint("health", __name__)


@blueprint.get("/livez")
def livez() -> Response:
    """Liveness: the process runs."""
    # Without the database: to restart a process that cannot reach it would not help.
    return jsonify(status="ok")


@blueprint.get("/readyz")
def readyz() -> tuple[Response, int]:
    """Readiness: 503 unless this process can write to the database and has its migrations and encryption keys."""
    if current_readiness().is_ready():
        return jsonify(status="ok"), 200
    return jsonify(status="unavailable"), 503
