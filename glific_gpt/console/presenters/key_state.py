"""State of an organization's OpenAI key for its page. The key itself is never shown."""

from dataclasses import dataclass
from datetime import datetime

from flask_babel import lazy_gettext as _

from glific_gpt.console.presenters.setup_steps import SetupStep, build_setup_steps
from glific_gpt.database import reading
from glific_gpt.models.kinds import ModelKind, classify_model
from glific_gpt.organizations.credentials import store
from glific_gpt.organizations.credentials.tables import Credential
from glific_gpt.organizations.tables import Organization
from glific_gpt.services import services
from glific_gpt.settings import FALLBACK_MESSAGE
from glific_gpt.usage.key_status import KEY_ERRORS, KeyState, determine_key_state, find_last_result, find_last_success
from glific_gpt.usage.setup_checklist import SetupChecklist, build_checklist

KEY_BADGES = {
    KeyState.MISSING: (_("No key"), "secondary"),
    KeyState.INACTIVE: (_("Switched off"), "yellow"),
    KeyState.REFUSED: (_("Refused by OpenAI"), "red"),
    KeyState.OUT_OF_CREDIT: (_("No credit left"), "red"),
    KeyState.OK: (_("Switched on"), "green"),
    KeyState.UNVERIFIED: (_("Switched on, not tested"), "yellow"),
}
KEY_ERROR_TEXTS = {
    KeyState.REFUSED: (
        _("OpenAI refused this key"),
        _("OpenAI refused the last call. Create a new key at platform.openai.com, paste it below and save."),
    ),
    KeyState.OUT_OF_CREDIT: (
        _("OpenAI says that this key's account has no credit left"),
        _("Add credit at platform.openai.com under Billing. Calls then work again."),
    ),
}


@dataclass(frozen=True)
class KeyPage:
    """Content of the page."""

    credential: Credential | None
    badge: tuple[str, str]
    """Label and colour."""
    key_error: tuple[str, str] | None
    """OpenAI's last error about the key, and what to do."""
    text_models: int | None
    """Number of text models that the key can use; None if OpenAI has not been asked."""
    last_worked_at: datetime | None
    fallback_message: str
    next_step: SetupStep | None
    """The next step of the set-up, once the key is saved; None when the set-up is complete."""


def build_key_page(organization: Organization) -> KeyPage:
    with reading(organization.id) as session:
        credential = store.find_or_none(session, organization.id, services().model_provider)
        result = find_last_result(session, credential)
        last_worked_at = find_last_success(session, organization.id)
        checklist = build_checklist(session, organization, credential, services().settings.models)
    key_error = KEY_ERROR_TEXTS[KEY_ERRORS[result]] if result in KEY_ERRORS else None
    model_ids = credential.models if credential else None
    return KeyPage(
        credential=credential,
        badge=KEY_BADGES[determine_key_state(credential, result)],
        key_error=key_error,
        text_models=None if model_ids is None else sum(classify_model(model) is ModelKind.TEXT for model in model_ids),
        last_worked_at=last_worked_at,
        fallback_message=organization.fallback_message or FALLBACK_MESSAGE,
        next_step=_find_next_step(checklist),
    )


def _find_next_step(checklist: SetupChecklist) -> SetupStep | None:
    steps = build_setup_steps(checklist) if checklist.key else []
    return next((step for step in steps if step.is_next), None)
