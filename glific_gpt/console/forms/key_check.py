"""The button that tests a key: the typed key, or the saved one. Nothing is saved."""

from dataclasses import dataclass

from flask_babel import gettext as _
from pydantic import SecretStr

from glific_gpt.console.access import current_organization
from glific_gpt.console.forms.key import KeyForm, allowed_offer, saved_address
from glific_gpt.console.presenters.labels import translate, translate_error
from glific_gpt.errors import MSG_TYPE_KEY_AGAIN, GlificGptError, InvalidKey, WrongRegion
from glific_gpt.models.kinds import ModelKind, classify_model
from glific_gpt.openai.hosts import host_of, serves_openai
from glific_gpt.organizations.credentials import store
from glific_gpt.services import services


@dataclass(frozen=True)
class KeyTestResult:
    """Result of a key test, as a sentence."""

    message: str
    is_good: bool
    offered_url: str | None = None
    """The address at which OpenAI accepts the key, if it is another one and allowed here."""


def test_key(form: KeyForm) -> KeyTestResult:
    """Test the typed key, or the saved key if none is typed. Nothing is saved."""
    app, saved_url = services(), saved_address()
    base_url = form.base_url(saved_url)
    if base_url != saved_url and not form.typed_key:
        return KeyTestResult(translate(MSG_TYPE_KEY_AGAIN), is_good=False)
    try:
        with app.waiting_pages.hold(current_organization().slug):
            if form.typed_key:
                values = {"api_key": SecretStr(form.typed_key)}
                verdict = store.check_typed_key(app.model_provider, values, base_url)
            else:
                verdict = store.check_saved_key(app.vault, current_organization().id, app.model_provider)
    except InvalidKey as error:
        return KeyTestResult(translate(error.reason), is_good=False)
    except GlificGptError as error:
        offered = allowed_offer(error.base_url) if form.typed_key and isinstance(error, WrongRegion) else None
        return KeyTestResult(translate_error(error), is_good=False, offered_url=offered)
    if app.settings.sandbox and base_url is None:
        return KeyTestResult(_("Sandbox: OpenAI was not asked, so this key is not tested."), is_good=False)
    if base_url and not serves_openai(base_url):
        texts = sum(classify_model(model) is ModelKind.TEXT for model in verdict.models)
        accepted = _(
            "The server %(host)s accepts the key. It has %(count)s text models.", host=host_of(base_url), count=texts
        )
        return KeyTestResult(accepted, is_good=texts > 0)
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
