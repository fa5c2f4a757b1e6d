"""The form of an organization's OpenAI key: test it, save it, switch it. What was typed is never shown again."""

from dataclasses import dataclass

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from pydantic import SecretStr
from wtforms import BooleanField, PasswordField

from glific_gpt.console.access import organization
from glific_gpt.console.forms.base import Form
from glific_gpt.console.presenters.labels import in_their_language, sentence
from glific_gpt.credentials import store
from glific_gpt.database import transaction
from glific_gpt.errors import CredentialNotVerified, GlificGptError, InvalidValue, NotFound
from glific_gpt.models.kinds import Kind, classify
from glific_gpt.services import services

NO_KEY = lazy_gettext("There is no key yet. Paste the OpenAI key of your organization.")
NOT_A_KEY = lazy_gettext("This is not an OpenAI key. Paste the whole key, which begins with sk-, and nothing else.")
FIELD = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "off"}


@dataclass(frozen=True)
class Said:
    """What OpenAI said to a test."""

    sentence: str
    is_good: bool


class KeyForm(Form):
    """Glific's own: a switch and a field."""

    is_active = BooleanField(lazy_gettext("Is active"))
    api_key = PasswordField(lazy_gettext("API key"), render_kw=FIELD)
    unverified = BooleanField(lazy_gettext("Save without a test"))
    offers_unverified = False

    @property
    def typed(self) -> str:
        """Empty where the saved key is meant."""
        return (self.api_key.data or "").strip()

    def refuse_key(self, sentence: str) -> None:
        self.api_key.errors = [sentence]


def save(form: KeyForm) -> str | None:
    """What was done, in words; None when the form now says why nothing was."""
    app, on = services(), bool(form.is_active.data)
    values = {"api_key": SecretStr(form.typed)}
    verify = not form.unverified.data
    try:
        row = store.put(app.vault, organization().slug, app.language_models, values, is_active=on, verify=verify)
    except InvalidValue:
        form.refuse_key(str(NOT_A_KEY))
        return None
    except CredentialNotVerified as error:
        form.offers_unverified = True
        form.refuse_key(_("The key was not saved. %(why)s", why=in_their_language(error.because)))
        return None
    return _saved(row.last4, on=on)


def switch(form: KeyForm) -> str | None:
    """The same, for the switch alone."""
    on = bool(form.is_active.data)
    try:
        with transaction() as session:
            store.switch(session, organization().id, services().language_models, is_active=on)
    except NotFound:
        form.refuse_key(str(NO_KEY))
        return None
    off = _("Saved. OpenAI is switched off. Flows now get the message for when there is no answer.")
    return str(_("Saved. OpenAI is switched on.") if on else off)


def ask(form: KeyForm) -> Said:
    """Asks OpenAI about the key that was typed, else about the saved one. Nothing is saved."""
    app = services()
    try:
        if form.typed:
            verdict = store.about_typed(app.language_models, {"api_key": SecretStr(form.typed)})
        else:
            verdict = store.about_saved(app.vault, organization().id, app.language_models)
    except InvalidValue:
        return Said(str(NOT_A_KEY), is_good=False)
    except GlificGptError as error:
        return Said(sentence(error), is_good=False)
    return _accepted(verdict.models, saved=not form.typed)


def _accepted(models: list[str], *, saved: bool) -> Said:
    texts = sum(classify(model) is Kind.TEXT for model in models)
    which = _("the saved key") if saved else _("this key")
    if not texts:
        return Said(
            _("OpenAI accepts %(which)s, but the key has no access to text models.", which=which), is_good=False
        )
    reached = _("OpenAI accepts %(which)s. It has access to %(count)s text models.", which=which, count=texts)
    return Said(reached if saved else reached + " " + _("The key is not saved yet."), is_good=True)


def _saved(last4: str, *, on: bool) -> str:
    off = _("Saved. The key that ends in ...%(last4)s is switched off.", last4=last4)
    return str(_("Saved. The key that ends in ...%(last4)s is switched on.", last4=last4) if on else off)
