"""Health checks. They are cheap, need no token and reveal nothing but the status."""

import structlog
from flask import Blueprint, Response, jsonify
from sqlalchemy.exc import SQLAlchemyError

from glific_gpt.database import migrations, transaction
from glific_gpt.services import services
from glific_gpt.vault import UnreadableSecret, Vault

blueprint = Blueprint("health", __name__)
log = structlog.get_logger()


@blueprint.get("/livez")
def livez() -> Response:
    """Liveness: the process runs."""
    # Without the database: to restart a process that cannot reach it would not help.
    return jsonify(status="ok")


@blueprint.get("/readyz")
def readyz() -> tuple[Response, int]:
    """Readiness: 503 unless the database is reachable with all migrations, and the encryption keys work."""
    problem = _database_problem() or _vault_problem(services().vault)
    if problem:
        log.warning("readiness_check_failed", reason=problem)
        return jsonify(status="unavailable"), 503
    return jsonify(status="ok"), 200


def _database_problem() -> str | None:
    try:
        with transaction() as session:
            return None if migrations.are_current(session.connection()) else "migrations are missing"
    except SQLAlchemyError as error:
        return f"the database is unavailable ({type(error).__name__})"


def _vault_problem(vault: Vault) -> str | None:
    try:
        # No organization has the id 0, so no stored secret uses the keys of this check.
        is_usable = vault.decrypt(0, "health", vault.encrypt(0, "health", "ok")) == "ok"
    except UnreadableSecret:
        is_usable = False
    return None if is_usable else "the encryption keys do not work"
