"""What there is to see of an organization's OpenAI key: never the key."""

from dataclasses import dataclass
from datetime import datetime

from flask_babel import lazy_gettext as _

from glific_gpt.credentials import store
from glific_gpt.credentials.tables import Credential
from glific_gpt.database import reading
from glific_gpt.models.kinds import ModelKind, classify_model
from glific_gpt.organizations.tables import Organization
from glific_gpt.services import services
from glific_gpt.settings import FALLBACK_MESSAGE
from glific_gpt.usage.key_status import KEY_ERRORS, KeyState, determine_key_state, last_key_result, last_worked_at

KEY_BADGES = {
    KeyState.MISSING: (_("No key yet"), "secondary"),
    KeyState.INACTIVE: (_("Switched off"), "yellow"),
    KeyState.REFUSED: (_("Refused by OpenAI"), "red"),
    KeyState.OUT_OF_CREDIT: (_("No credit left"), "red"),
    KeyState.OK: (_("Switched on"), "green"),
    KeyState.UNVERIFIED: (_("Switched on, not verified"), "yellow"),
}
KEY_ERROR_TEXTS = {
    KeyState.REFUSED: (
        _("OpenAI does not accept this key"),
        _("It refused the last call. Make a new key at platform.openai.com, paste it below and save."),
    ),
    KeyState.OUT_OF_CREDIT: (
        _("OpenAI says that this key's account has no credit left"),
        _("Add credit at platform.openai.com under Billing. The next call after that works again."),
    ),
}


@dataclass(frozen=True)
class KeyPage:
    """What the page shows."""

    credential: Credential | None
    badge: tuple[str, str]
    """Words and colour."""
    complaint: tuple[str, str] | None
    """What OpenAI last said against the key, and what to do."""
    text_models: int | None
    """How many the key reaches; None when nobody has asked."""
    last_worked_at: datetime | None
    fallback: str


def build_key_page(organization: Organization) -> KeyPage:
    with reading() as session:
        credential = store.find_or_none(session, organization.id, services().language_models)
        word = session.scalar(last_key_result(organization.id, credential.updated_at)) if credential else None
        worked = last_worked_at(session, organization.id)
    complaint = KEY_ERROR_TEXTS[KEY_ERRORS[word]] if word in KEY_ERRORS else None
    reached = credential.models if credential else None
    return KeyPage(
        credential=credential,
        badge=KEY_BADGES[determine_key_state(credential, word)],
        complaint=complaint,
        text_models=None if reached is None else sum(classify_model(model) is ModelKind.TEXT for model in reached),
        last_worked_at=worked,
        fallback=organization.fallback_message or FALLBACK_MESSAGE,
    )
