"""Server-wide model list of the administrators. It can only narrow GLIFIC_GPT_MODELS."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from glific_gpt.audit import trail
from glific_gpt.audit.actions import Action
from glific_gpt.database import insert_if_absent
from glific_gpt.organizations.changes import validate_changes
from glific_gpt.organizations.tables import ServerSettings

ROW_ID = 1
"""Id of the only row."""

# The single query that loads a tenant for a call contains it too.
ALLOWED_MODELS_QUERY = select(ServerSettings.allowed_models).where(ServerSettings.id == ROW_ID)


def find_allowed_models(session: Session) -> list[str] | None:
    """Return the patterns. None allows all models of the environment, an empty list none."""
    return session.scalar(ALLOWED_MODELS_QUERY)


def set_allowed_models(session: Session, patterns: Sequence[str] | None) -> None:
    """Replace the list, from the next call on. Raises InvalidValue for an invalid pattern."""
    validated = validate_changes(allowed_models=None if patterns is None else list(patterns)).allowed_models
    if find_allowed_models(session) == validated:
        return
    if not insert_if_absent(session, ServerSettings(id=ROW_ID, allowed_models=validated, require_two_factor=False)):
        session.get_one(ServerSettings, ROW_ID).allowed_models = validated
    trail.record(session, Action.SERVER_MODELS_ALLOWED, patterns=validated)
