"""Changes of the OpenAI key and its switch by two people at the same time: each saves only what that person changed."""

from flask_babel import gettext as _
from markupsafe import Markup

from glific_gpt.console.forms import opened_values
from glific_gpt.console.forms.key import KeyForm
from glific_gpt.organizations.credentials.tables import Credential

SWITCH, KEY = "is_active", "key"


def hidden_inputs(form: KeyForm, saved: Credential | None) -> Markup:
    """Return the inputs that carry the switch and the end of the key with which the person opened the form."""
    values = _stored(saved)
    # After a conflict, the person has seen the key of the colleague.
    opened = {} if form.shows_conflict else {name: opened_values.read_opened(name) for name in values}
    return opened_values.hidden_inputs({name: _or(opened.get(name), value) for name, value in values.items()})


def has_conflict(form: KeyForm, saved: Credential | None) -> bool:
    """Return whether the form replaces a key that a colleague has saved since it was opened."""
    opened = opened_values.read_opened(KEY)
    return bool(form.typed_key) and opened is not None and saved is not None and saved.last4 != opened


def set_conflict_error(form: KeyForm, saved: Credential) -> None:
    """Show the end of the colleague's key."""
    form.shows_conflict = True
    form.set_key_error(
        _(
            "A colleague has saved another key since you opened the page. It ends in ...%(last4)s. To replace it, "
            "paste your key again and save.",
            last4=saved.last4,
        )
    )


def keep_switch_of_colleague(form: KeyForm, saved: Credential | None) -> str | None:
    """Take over the saved switch, unless the person has changed it.

    Returns a sentence if a colleague has changed it, and None otherwise.
    """
    opened = opened_values.read_opened(SWITCH)
    if opened is None or saved is None or _to_text(on=bool(form.is_active.data)) != opened:
        return None
    form.is_active.data = saved.is_active
    if _to_text(on=saved.is_active) == opened:
        return None
    return str(
        _("A colleague has meanwhile switched OpenAI on.")
        if saved.is_active
        else _("A colleague has meanwhile switched OpenAI off.")
    )


def _stored(saved: Credential | None) -> dict[str, str]:
    return {SWITCH: _to_text(on=saved is None or saved.is_active), KEY: saved.last4 if saved else ""}


def _to_text(*, on: bool) -> str:
    return "True" if on else ""


def _or(value: str | None, default: str) -> str:
    return default if value is None else value
