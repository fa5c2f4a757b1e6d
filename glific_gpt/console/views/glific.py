"""The connection to the organization's Glific, by which waiting flows are resumed."""

from flask import Response, flash, redirect, render_template, url_for
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from pydantic import SecretStr
from wtforms import PasswordField, RadioField, StringField, TelField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired

from glific_gpt.connections import connecting, store
from glific_gpt.connections.tables import GlificConnection
from glific_gpt.console.access import Lock, needs, organization
from glific_gpt.console.blueprint import blueprint
from glific_gpt.console.forms.base import Form
from glific_gpt.console.presenters.labels import in_their_language, sentence
from glific_gpt.database import transaction
from glific_gpt.errors import GlificGptError, GlificNotVerified, InvalidValue, NotFound
from glific_gpt.schemas import GlificConnectionView
from glific_gpt.services import services

RULE = "/organizations/<slug>/glific"
API, SIGNED = "api", "signed"
WAYS = [SelectChoice(API, _("Phone number and password")), SelectChoice(SIGNED, _("Webhook signature"))]
NO_ADDRESS = _("Enter the address of your Glific API, such as https://api.seva-trust.glific.com.")


class ConnectionForm(Form):
    """A way into Glific. What is known of the login is never shown again."""

    way = RadioField(_("Sign-in to Glific"), choices=WAYS, default=API)
    api_url = StringField(
        _("Address of your Glific API"),
        [DataRequired(NO_ADDRESS)],
        render_kw={"placeholder": "https://api.seva-trust.glific.com", "inputmode": "url", "autocomplete": "off"},
    )
    phone = TelField(_("Phone number"), render_kw={"placeholder": "+91 98765 43210", "autocomplete": "off"})
    password = PasswordField(_("Password"), render_kw={"autocomplete": "new-password"})


@blueprint.get(RULE)
@needs(Lock.VIEWER)
def glific(slug: str) -> str:
    connection = _connection()
    known = {"way": connection.way, "api_url": connection.api_url} if connection else {}
    return _page(ConnectionForm(formdata=None, data=known), connection)


@blueprint.post(RULE)
@needs(Lock.EDITOR)
def connect_glific(slug: str) -> Response | tuple[str, int]:
    """Glific is asked first; what it refuses is not saved."""
    form = ConnectionForm()
    if not (form.validate_on_submit() and _connect(slug, form)):
        return _page(form, _connection()), 422
    if form.way.data == SIGNED:
        flash(
            gettext(
                "Saved. A server answers at this address. Test a flow that waits for an answer to check the signature."
            ),
            "success",
        )
    else:
        flash(gettext("Saved. Glific accepted the login."), "success")
    return _back(slug)


@blueprint.post(f"{RULE}/test")
@needs(Lock.EDITOR)
def test_glific(slug: str) -> Response:
    """Asks Glific anew, and says what it said."""
    try:
        connecting.check(services().vault, services().glific, slug)
    except GlificGptError as error:
        flash(gettext("The test failed. %(said)s", said=sentence(error)), "error")
    else:
        flash(gettext("The test passed. Glific answered."), "success")
    return _back(slug)


@blueprint.post(f"{RULE}/disconnect")
@needs(Lock.EDITOR)
def disconnect_glific(slug: str) -> Response:
    try:
        with transaction() as session:
            store.disconnect(session, organization().id)
    except NotFound:
        flash(gettext("The connection was already removed."), "info")
    else:
        flash(gettext("Disconnected. The login is deleted. Later answers no longer arrive."), "success")
    return _back(slug)


def _connect(slug: str, form: ConnectionForm) -> bool:
    """Whether it worked; if not, the form says why."""
    try:
        _save(slug, form)
    except GlificNotVerified as error:
        form.refuse(GlificNotVerified(gettext("Nothing was saved. %(said)s", said=in_their_language(error.because))))
    except InvalidValue as error:
        _refuse(form, error)
    else:
        return True
    return False


def _save(slug: str, form: ConnectionForm) -> None:
    app = services()
    if form.way.data == SIGNED:
        if not _has_phrase():
            raise InvalidValue(gettext("Set the webhook signature on the Settings page first."))
        connecting.connect_by_signed_call(app.vault, app.glific, slug, api_url=form.api_url.data)
        return
    password = SecretStr(form.password.data or "")
    phone = form.phone.data or ""
    connecting.connect_by_api(app.vault, app.glific, slug, api_url=form.api_url.data, phone=phone, password=password)


def _refuse(form: ConnectionForm, error: InvalidValue) -> None:
    """A sentence about one field may begin with its name."""
    name = str(error).partition(":")[0]
    if name in {"phone", "password"}:
        text = in_their_language(str(error)).partition(": ")[2]
        form.refuse(InvalidValue(text[:1].upper() + text[1:]), name)
    else:
        form.refuse(error, "way" if form.way.data == SIGNED and not _has_phrase() else "api_url")


def _connection() -> GlificConnection | None:
    with transaction() as session:
        return store.find_if_any(session, organization().id)


def _has_phrase() -> bool:
    return store.phrase_of(services().vault, organization()) is not None


def _page(form: ConnectionForm, connection: GlificConnection | None) -> str:
    known = GlificConnectionView.of(connection, store.phone_last4(services().vault, connection))
    return render_template("console/glific.html", form=form, known=known, has_phrase=_has_phrase())


def _back(slug: str) -> Response:
    return redirect(url_for("console.glific", slug=slug))  # type: ignore[return-value]
