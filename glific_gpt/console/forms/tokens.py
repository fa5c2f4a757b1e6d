"""Authentication of flows: the choice between a token and the webhook signature, and the form of a token."""

from typing import Any

from flask_babel import lazy_gettext as _
from wtforms import RadioField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, Length, Regexp

from glific_gpt.console.access import current_organization
from glific_gpt.console.forms.base import Form
from glific_gpt.operations.ready_flows import AuthMethod
from glific_gpt.organizations.changes import STORABLE

AUTH_METHOD_NAMES = {AuthMethod.TOKEN: _("Token in the flow"), AuthMethod.SIGNATURE: _("Webhook signature")}


class AuthMethodField(RadioField):  # type: ignore[misc] # it ships no types
    """The authentication methods that the organization's settings allow. The first one is selected."""

    def __init__(self, **options: Any) -> None:
        # Functions instead of values: the organization is known in a request only.
        super().__init__(
            _("How the flow signs in"), choices=_auth_method_choices, default=_default_auth_method, **options
        )


def _auth_method_choices() -> list[SelectChoice]:
    return [SelectChoice(str(method), AUTH_METHOD_NAMES[method]) for method in _allowed_auth_methods()]


def _default_auth_method() -> str:
    return str(_allowed_auth_methods()[0])


def _allowed_auth_methods() -> list[AuthMethod]:
    return [AuthMethod.SIGNATURE] if current_organization().require_signature else list(AuthMethod)


MAX_LABEL_CHARACTERS = 100


class TokenForm(Form):
    """A new webhook token."""

    label = StringField(
        _("Label of the token"),
        [
            DataRequired(_("Write a label, so that you can recognize the token later.")),
            Length(max=MAX_LABEL_CHARACTERS, message=_("Write at most 100 characters.")),
            Regexp(STORABLE, message=_("This name contains characters that cannot be stored. Remove them.")),
        ],
        filters=[lambda text: text and text.strip()],
        render_kw={"maxlength": MAX_LABEL_CHARACTERS, "autocomplete": "off"},
    )
