"""The models that administrators let every organization use; inside GLIFIC_GPT_MODELS, which stays the outer limit."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from glific_gpt.audit import trail
from glific_gpt.audit.actions import Action
from glific_gpt.database import insert_if_absent
from glific_gpt.organizations.changes import validate_changes
from glific_gpt.organizations.tables import ServerSettings

ROW_ID = 1
"""The id of the only row."""

# Also a part of the one query that finds everything about a call.
ALLOWED_MODELS_QUERY = select(ServerSettings.allowed_models).where(ServerSettings.id == ROW_ID)


def find_allowed_models(session: Session) -> list[str] | None:
    """The patterns; None is all that the environment allows, an empty list is none."""
    return session.scalar(ALLOWED_MODELS_QUERY)


def set_allowed_models(session: Session, patterns: Sequence[str] | None) -> None:
    """Replaces the list; it counts from the next call on. Raises InvalidValue for what is no pattern."""
    wanted = validate_changes(allowed_models=None if patterns is None else list(patterns)).allowed_models
    if find_allowed_models(session) == wanted:
        return
    if not insert_if_absent(session, ServerSettings(id=ROW_ID, allowed_models=wanted)):
        session.get_one(ServerSettings, ROW_ID).allowed_models = wanted
    trail.record(session, Action.SERVER_MODELS_ALLOWED, patterns=wanted)
