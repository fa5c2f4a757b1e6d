"""Form of the OpenAI key: save and switch it. A typed key is never sent back to the browser."""

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from pydantic import SecretStr
from wtforms import BooleanField, PasswordField, SelectField, StringField

from glific_gpt.console.access import current_organization
from glific_gpt.console.forms.base import Form
from glific_gpt.console.presenters.labels import translate, translate_error
from glific_gpt.database import transaction
from glific_gpt.errors import (
    MSG_TYPE_KEY_AGAIN,
    CredentialNotVerified,
    InvalidKey,
    InvalidValue,
    NotFound,
    ProviderUnreachable,
    RateLimited,
)
from glific_gpt.openai.hosts import host_of, region_url, serves_openai
from glific_gpt.organizations.credentials import store
from glific_gpt.organizations.credentials.tables import Credential
from glific_gpt.services import services

NO_KEY = lazy_gettext("There is no key yet. Paste the OpenAI key of your organization.")
SECRET_FIELD_ATTRIBUTES = {
    "autocomplete": "off",
    "spellcheck": "false",
    "autocapitalize": "off",
    "data-private": "",
}


OWN_ADDRESS, OTHER_ADDRESS = "", "other"
REGION_NAMES = {
    "us": lazy_gettext("United States"),
    "eu": lazy_gettext("Europe"),
    "in": lazy_gettext("India"),
    "ae": lazy_gettext("United Arab Emirates"),
    "au": lazy_gettext("Australia"),
    "ca": lazy_gettext("Canada"),
    "gb": lazy_gettext("United Kingdom"),
    "jp": lazy_gettext("Japan"),
    "kr": lazy_gettext("South Korea"),
    "sg": lazy_gettext("Singapore"),
}


class KeyForm(Form):
    """A switch and a key field, as in Glific's own OpenAI settings."""

    is_active = BooleanField(lazy_gettext("Is active"))
    api_key = PasswordField(lazy_gettext("API key"), render_kw=SECRET_FIELD_ATTRIBUTES)
    address = SelectField(lazy_gettext("OpenAI's address"), validate_choice=False)
    other_address = StringField(
        lazy_gettext("Another address"), render_kw={"inputmode": "url", "placeholder": "https://llm.example.org/v1"}
    )
    unverified = BooleanField(lazy_gettext("Save without asking OpenAI"))
    offers_unverified = False
    shows_conflict = False

    @property
    def typed_key(self) -> str:
        """The typed key. Empty text means the saved key."""
        return (self.api_key.data or "").strip()

    def base_url(self, saved: str | None) -> str | None:
        """Return the chosen address; None is the server's own. A form without the field keeps the saved one."""
        if self.address.data is None:
            return saved
        chosen = (self.other_address.data or "").strip() if self.address.data == OTHER_ADDRESS else self.address.data
        return chosen or None

    def set_choices(self, saved: str | None) -> None:
        """Set the choices of the address, and select the saved one unless the form was sent."""
        provider = services().model_provider
        regions = {region_url(region): region for region in provider.hosts.allowed_regions()}
        self.address.choices = [
            (OWN_ADDRESS, _("Default of the server (%(host)s)", host=host_of(provider.base_url))),
            *((url, f"{REGION_NAMES[region]} ({host_of(url)})") for url, region in regions.items()),
            *([(OTHER_ADDRESS, _("Another address"))] if provider.hosts.allows_others or self._is_other(saved) else []),
        ]
        if not self.is_submitted():
            self.select_address(saved)

    def select_address(self, base_url: str | None) -> None:
        """Select this address in the form."""
        is_other = self._is_other(base_url)
        self.address.data = OTHER_ADDRESS if is_other else base_url or OWN_ADDRESS
        self.other_address.data = base_url if is_other else ""

    @staticmethod
    def _is_other(base_url: str | None) -> bool:
        allowed = map(region_url, services().model_provider.hosts.allowed_regions())
        return base_url is not None and base_url not in allowed

    def set_address_error(self, text: str) -> None:
        """Show an error beside the field with the address. Without other servers, there is no field to type one."""
        is_typed = self.address.data == OTHER_ADDRESS and services().model_provider.hosts.allows_others
        (self.other_address if is_typed else self.address).errors = [text]

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
            row = store.save_credential(
                app.vault,
                slug,
                app.model_provider,
                values,
                is_active=is_active,
                verify=verify,
                base_url=form.base_url(saved_address()),
            )
    except RateLimited as error:
        form.error_status = error.status
        form.set_key_error(translate_error(error))
        return None
    except InvalidKey as error:
        form.set_key_error(translate(error.reason))
        return None
    except InvalidValue as error:
        form.set_address_error(translate_error(error))
        return None
    except CredentialNotVerified as error:
        # A refused key would be refused in every call too.
        form.offers_unverified = isinstance(error, ProviderUnreachable)
        form.error_status = error.status
        if offered := allowed_offer(error.base_url):
            form.select_address(offered)
            form.set_key_error(
                _(
                    "The key was not saved. OpenAI serves it at %(host)s only, which is selected now. Paste the key "
                    "again and save.",
                    host=host_of(offered),
                )
            )
            return None
        form.set_key_error(_("The key was not saved. %(why)s", why=translate(error.reason)))
        return None
    return _saved_message(row, is_active=is_active)


def saved_address() -> str | None:
    """Return the address of the saved key; None for the server's own address, or without a key."""
    with transaction() as session:
        saved = store.find_or_none(session, current_organization().id, services().model_provider)
    return saved.base_url if saved else None


def allowed_offer(base_url: str | None) -> str | None:
    """Return the address that OpenAI has named, if the operator allows it."""
    if base_url is None:
        return None
    try:
        return services().model_provider.validate_url(base_url)
    except InvalidValue:
        return None


def switch_key(form: KeyForm) -> str | None:
    """Save the switch only. Return a sentence, or None if the form now has an error."""
    is_active = bool(form.is_active.data)
    try:
        with transaction() as session:
            saved = store.find(session, current_organization().id, services().model_provider)
            if form.base_url(saved.base_url) != saved.base_url:
                # Otherwise a member could send the key of the organization to a host of the member's choice.
                form.set_key_error(translate(MSG_TYPE_KEY_AGAIN))
                return None
            store.set_active(session, current_organization().id, services().model_provider, is_active=is_active)
    except NotFound:
        form.set_key_error(str(NO_KEY))
        return None
    if is_active:
        return str(_("Saved. OpenAI is switched on."))
    return str(_("Saved. OpenAI is switched off. Flows now get the “Message when there is no answer”."))


def _saved_message(saved: Credential, *, is_active: bool) -> str:
    default = current_organization().default_model or services().settings.default_model
    if is_active and not serves_openai(saved.base_url) and default not in (saved.models or [default]):
        return str(
            _(
                "Saved. This server does not list the default model %(model)s. Choose one of its models on the page "
                "Models.",
                model=default,
            )
        )
    if is_active:
        return str(_("Saved. The key that ends in ...%(last4)s is switched on.", last4=saved.last4))
    return str(_("Saved. The key that ends in ...%(last4)s is switched off.", last4=saved.last4))
