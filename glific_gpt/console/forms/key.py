"""Form of the OpenAI key: test, save and switch it. A typed key is never sent back to the browser."""

from dataclasses import dataclass

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from pydantic import SecretStr
from wtforms import BooleanField, PasswordField

from glific_gpt.console.access import current_organization
from glific_gpt.console.forms.base import Form
from glific_gpt.console.presenters.labels import translate, translate_error
from glific_gpt.credentials import store
from glific_gpt.database import transaction
from glific_gpt.errors import (
    CredentialNotVerified,
    GlificGptError,
    InvalidKey,
    NotFound,
    ProviderUnreachable,
    RateLimited,
)
from glific_gpt.models.kinds import ModelKind, classify_model
from glific_gpt.services import services

NO_KEY = lazy_gettext("There is no key yet. Paste the OpenAI key of your organization.")
SECRET_FIELD_ATTRIBUTES = {
    "autocomplete": "off",
    "spellcheck": "false",
    "autocapitalize": "off",
    "data-private": "",
}


@dataclass(frozen=True)
class KeyTestResult:
    """Result of a key test, as a sentence."""

    message: str
    is_good: bool


class KeyForm(Form):
    """A switch and a key field, as in Glific's own OpenAI settings."""

    is_active = BooleanField(lazy_gettext("Is active"))
    api_key = PasswordField(lazy_gettext("API key"), render_kw=SECRET_FIELD_ATTRIBUTES)
    unverified = BooleanField(lazy_gettext("Save without asking OpenAI"))
    offers_unverified = False

    @property
    def typed_key(self) -> str:
        """The typed key. Empty text means the saved key."""
        return (self.api_key.data or "").strip()

    def set_key_error(self, text: str) -> None:
        """Show an error beside the key field."""
        self.api_key.errors = [text]


def save_key(form: KeyForm) -> str | None:
    """Save the typed key and the switch. Return a sentence, or None if the form now has an error."""
    app, is_active = services(), bool(form.is_active.data)
    values = {"api_key": SecretStr(form.typed_key)}
    verify = not form.unverified.data
    slug = current_organization().slug
    try:
        with app.waiting_pages.hold(slug):
            row = store.save_credential(app.vault, slug, app.model_provider, values, is_active=is_active, verify=verify)
    except RateLimited as error:
        form.error_status = error.status
        form.set_key_error(translate_error(error))
        return None
    except InvalidKey as error:
        form.set_key_error(translate(error.reason))
        return None
    except CredentialNotVerified as error:
        # A refused key would be refused in every call too.
        form.offers_unverified = isinstance(error, ProviderUnreachable)
        form.error_status = error.status
        form.set_key_error(_("The key was not saved. %(why)s", why=translate(error.reason)))
        return None
    return _saved_message(row.last4, is_active=is_active)


def switch_key(form: KeyForm) -> str | None:
    """Save the switch only. Return a sentence, or None if the form now has an error."""
    is_active = bool(form.is_active.data)
    try:
        with transaction() as session:
            store.set_active(session, current_organization().id, services().model_provider, is_active=is_active)
    except NotFound:
        form.set_key_error(str(NO_KEY))
        return None
    if is_active:
        return str(_("Saved. OpenAI is switched on."))
    return str(_("Saved. OpenAI is switched off. Flows now get the “Message when there is no answer”."))


def test_key(form: KeyForm) -> KeyTestResult:
    """Test the typed key, or the saved key if none is typed. Nothing is saved."""
    app = services()
    try:
        with app.waiting_pages.hold(current_organization().slug):
            if form.typed_key:
                verdict = store.check_typed_key(app.model_provider, {"api_key": SecretStr(form.typed_key)})
            else:
                verdict = store.check_saved_key(app.vault, current_organization().id, app.model_provider)
    except InvalidKey as error:
        return KeyTestResult(translate(error.reason), is_good=False)
    except GlificGptError as error:
        return KeyTestResult(translate_error(error), is_good=False)
    if app.settings.sandbox:
        return KeyTestResult(_("Sandbox: OpenAI was not asked, so this key is not tested."), is_good=False)
    return _accepted_result(verdict.models, saved=not form.typed_key)


def _accepted_result(models: list[str], *, saved: bool) -> KeyTestResult:
    texts = sum(classify_model(model) is ModelKind.TEXT for model in models)
    which = _("the saved key") if saved else _("this key")
    if not texts:
        return KeyTestResult(
            _("OpenAI accepts %(which)s, but the key has no access to text models.", which=which), is_good=False
        )
    reached = _("OpenAI accepts %(which)s. It has access to %(count)s text models.", which=which, count=texts)
    return KeyTestResult(reached if saved else reached + " " + _("The key is not saved yet."), is_good=True)


def _saved_message(last4: str, *, is_active: bool) -> str:
    if is_active:
        return str(_("Saved. The key that ends in ...%(last4)s is switched on.", last4=last4))
    return str(_("Saved. The key that ends in ...%(last4)s is switched off.", last4=last4))
