"""The connection to the organization's Glific, which delivers answers to waiting flows."""

from flask import Response, flash, redirect, render_template, url_for
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from pydantic import SecretStr
from wtforms import PasswordField, RadioField, StringField, TelField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired

from glific_gpt.console.access import AccessLevel, current_organization, has_access, requires
from glific_gpt.console.blueprint import blueprint
from glific_gpt.console.forms.base import Form
from glific_gpt.console.presenters.labels import translate, translate_error
from glific_gpt.database import transaction
from glific_gpt.errors import GlificGptError, GlificNotVerified, InvalidValue, NotFound, RateLimited
from glific_gpt.organizations.connections import connecting, store
from glific_gpt.organizations.connections.tables import GlificConnection
from glific_gpt.schemas import GlificConnectionView
from glific_gpt.services import services

GLIFIC_URL = "/organizations/<slug>/glific"
LOGIN, SIGNED = "api", "signed"
WAY_CHOICES = [SelectChoice(LOGIN, _("Phone number and password")), SelectChoice(SIGNED, _("Webhook signature"))]
NO_ADDRESS = _("Enter the address of your Glific API, such as https://api.seva-trust.glific.com.")


GLIFIC_DOMAIN = ".glific.com"


def correct_address(text: str | None) -> str | None:
    """Return the address of the API for what people copy from their browser, such as seva-trust.glific.com/chat."""
    address = (text or "").strip()
    if "." not in address or any(character.isspace() for character in address):
        return address or None
    scheme, _separator, rest = address.rpartition("://")
    host, slash, path = rest.partition("/")
    if host.lower().endswith(GLIFIC_DOMAIN):
        name = host.lower().removesuffix(GLIFIC_DOMAIN)
        # Other names have several parts already, such as those of test servers.
        if name != "api" and "." not in name:
            host, slash, path = f"api.{name}{GLIFIC_DOMAIN}", "", ""
    return f"{scheme or 'https'}://{host}{slash}{path}" if host else address


class ConnectionForm(Form):
    """How to sign in to Glific. A saved phone number and password are never sent back to the browser."""

    way = RadioField(_("Sign-in to Glific"), choices=WAY_CHOICES, default=LOGIN)
    api_url = StringField(
        _("Address of your Glific API"),
        [DataRequired(NO_ADDRESS)],
        filters=[correct_address],
        render_kw={"placeholder": "https://api.seva-trust.glific.com", "inputmode": "url", "autocomplete": "off"},
    )
    phone = TelField(_("Phone number"), render_kw={"placeholder": "+91 98765 43210", "autocomplete": "off"})
    # Browsers ignore `off` for a password, and would fill in one that was saved for the console:
    # https://developer.mozilla.org/en-US/docs/Web/Security/Practices/Turning_off_form_autocompletion
    password = PasswordField(_("Password"), render_kw={"autocomplete": "new-password"})


@blueprint.get(GLIFIC_URL)
@requires(AccessLevel.VIEWER)
def glific(slug: str) -> str:
    connection = _find_connection()
    saved = {"way": connection.way, "api_url": connection.api_url} if connection else {}
    return _render(ConnectionForm(formdata=None, data=saved), connection)


@blueprint.post(GLIFIC_URL)
@requires(AccessLevel.EDITOR)
def connect_glific(slug: str) -> Response | tuple[str, int]:
    """Test the connection and save it. Nothing is saved if Glific refuses it."""
    form = ConnectionForm()
    if not (form.validate_on_submit() and _connect(slug, form)):
        return _render(form, _find_connection()), form.error_status
    if form.way.data == SIGNED:
        flash(
            gettext(
                "Saved. A server answers at this address. Test a flow that waits for an answer to check the signature."
            ),
            "success",
        )
    else:
        flash(gettext("Saved. Glific accepted the login."), "success")
    return _redirect(slug)


@blueprint.post(f"{GLIFIC_URL}/test")
@requires(AccessLevel.EDITOR)
def test_glific(slug: str) -> Response:
    """Test the saved connection and show the result."""
    try:
        with services().waiting_pages.hold(slug):
            connecting.recheck_connection(services().vault, services().glific, slug)
    except GlificGptError as error:
        flash(gettext("The test failed. %(said)s", said=translate_error(error)), "error")
    else:
        flash(gettext("The test passed. Glific answered."), "success")
    return _redirect(slug)


@blueprint.post(f"{GLIFIC_URL}/disconnect")
@requires(AccessLevel.EDITOR)
def disconnect_glific(slug: str) -> Response:
    try:
        with transaction() as session:
            store.disconnect(session, current_organization().id)
    except NotFound:
        flash(gettext("The connection was already removed."), "info")
    else:
        flash(gettext("Disconnected. The login is deleted. Later answers no longer arrive."), "success")
    return _redirect(slug)


def _connect(slug: str, form: ConnectionForm) -> bool:
    """Save the connection. Returns False if the form now has an error."""
    try:
        with services().waiting_pages.hold(slug):
            _save(slug, form)
    except RateLimited as error:
        form.error_status = error.status
        form.add_error(error)
    except GlificNotVerified as error:
        form.error_status = error.status
        form.add_error(GlificNotVerified(gettext("Nothing was saved. %(said)s", said=translate(error.reason))))
    except InvalidValue as error:
        _show_error(form, error)
    else:
        return True
    return False


def _save(slug: str, form: ConnectionForm) -> None:
    app = services()
    if form.way.data == SIGNED:
        if not _has_signature():
            raise InvalidValue(gettext("Set the webhook signature on the Settings page first."))
        connecting.connect_by_signed_call(app.vault, app.glific, slug, api_url=form.api_url.data)
        return
    password = SecretStr(form.password.data or "")
    phone = form.phone.data or ""
    connecting.connect_by_api(app.vault, app.glific, slug, api_url=form.api_url.data, phone=phone, password=password)


def _show_error(form: ConnectionForm, error: InvalidValue) -> None:
    """Show an error beside its field. An error about the phone or the password begins with the name of the field."""
    name = str(error).partition(":")[0]
    if name in {"phone", "password"}:
        text = translate(str(error)).partition(": ")[2]
        form.add_error(InvalidValue(text[:1].upper() + text[1:]), name)
    else:
        if has_access(AccessLevel.ADMINISTRATOR):
            error = InvalidValue(error.administrator_message)
        form.add_error(error, "way" if form.way.data == SIGNED and not _has_signature() else "api_url")


def _find_connection() -> GlificConnection | None:
    with transaction() as session:
        return store.find_or_none(session, current_organization().id)


def _has_signature() -> bool:
    return current_organization().signature_phrase is not None


def _render(form: ConnectionForm, connection: GlificConnection | None) -> str:
    view = GlificConnectionView.of(connection, store.phone_last4(services().vault, connection))
    return render_template("console/glific.html", form=form, connection=view, has_signature=_has_signature())


def _redirect(slug: str) -> Response:
    return redirect(url_for("console.glific", slug=slug))  # type: ignore[return-value]
