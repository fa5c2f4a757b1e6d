"""The choice of what lets a flow in: a token in it, or Glific's signature."""

from typing import Any

from flask_babel import lazy_gettext as _
from wtforms import RadioField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, Length, Regexp

from glific_gpt.console.access import organization
from glific_gpt.console.forms.base import Form
from glific_gpt.organizations.changes import STORABLE
from glific_gpt.ready_flows import AuthMethod

WAYS = {AuthMethod.TOKEN: _("Token in the flow"), AuthMethod.SIGNATURE: _("Webhook signature")}


class LetInField(RadioField):  # type: ignore[misc] # it ships no types
    """What the organization's settings leave to choose from, the first one chosen."""

    def __init__(self, **options: Any) -> None:
        super().__init__(_("How the flow signs in"), choices=_choices, default=_first, **options)


def _choices() -> list[SelectChoice]:
    return [SelectChoice(str(way), WAYS[way]) for way in _ways()]


def _first() -> str:
    return str(_ways()[0])


def _ways() -> list[AuthMethod]:
    return [AuthMethod.SIGNATURE] if organization().require_signature else list(AuthMethod)


LONGEST_LABEL = 100


class TokenForm(Form):
    """A new webhook token."""

    label = StringField(
        _("Label of the token"),
        [
            DataRequired(_("Write a label, so that you can recognize the token later.")),
            Length(max=LONGEST_LABEL, message=_("Write at most 100 characters.")),
            Regexp(STORABLE, message=_("This name contains characters that cannot be stored. Remove them.")),
        ],
        filters=[lambda text: text and text.strip()],
        render_kw={"maxlength": LONGEST_LABEL, "autocomplete": "off"},
    )
