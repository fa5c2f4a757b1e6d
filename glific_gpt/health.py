"""Health: whether the process lives, and whether it can answer; both cost nothing and tell nothing else."""

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
    return jsonify(status="ok")


@blueprint.get("/readyz")
def readyz() -> tuple[Response, int]:
    """503 until the database is there with every migration, and the encryption keys work."""
    problem = _database_problem() or _vault_problem(services().vault)
    if problem:
        log.warning("not_ready", reason=problem)
        return jsonify(status="unavailable"), 503
    return jsonify(status="ok"), 200


def _database_problem() -> str | None:
    try:
        with transaction() as session:
            return None if migrations.are_current(session.connection()) else "the database is behind on migrations"
    except SQLAlchemyError as error:
        return f"the database cannot be asked ({type(error).__name__})"


def _vault_problem(vault: Vault) -> str | None:
    try:
        usable = vault.decrypt(0, "health", vault.encrypt(0, "health", "ok")) == "ok"
    except UnreadableSecret:
        usable = False
    return None if usable else "the encryption keys cannot be used"
