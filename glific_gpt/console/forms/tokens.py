"""The choice of what lets a flow in: a token in it, or Glific's signature."""

from typing import Any

from flask_babel import lazy_gettext as _
from wtforms import RadioField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, Length, Regexp

from glific_gpt.console.access import organization
from glific_gpt.console.forms.base import Form
from glific_gpt.organizations.changes import STORABLE
from glific_gpt.ready_flows import LetIn

WAYS = {LetIn.TOKEN: _("A token in the flow"), LetIn.SIGNATURE: _("Glific's signature")}


class LetInField(RadioField):  # type: ignore[misc] # it ships no types
    """What the organization's settings leave to choose from, the first one chosen."""

    def __init__(self, **options: Any) -> None:
        super().__init__(_("What lets the flow in"), choices=_choices, default=_first, **options)


def _choices() -> list[SelectChoice]:
    return [SelectChoice(str(way), WAYS[way]) for way in _ways()]


def _first() -> str:
    return str(_ways()[0])


def _ways() -> list[LetIn]:
    return [LetIn.SIGNATURE] if organization().require_signature else list(LetIn)


LONGEST_LABEL = 100


class TokenForm(Form):
    """A new webhook token."""

    label = StringField(
        _("What the token is for"),
        [
            DataRequired(_("Write what it is for, so that you know it again.")),
            Length(max=LONGEST_LABEL, message=_("Write 100 characters at most.")),
            Regexp(STORABLE, message=_("This name cannot be used.")),
        ],
        filters=[lambda text: text and text.strip()],
        render_kw={"maxlength": LONGEST_LABEL, "autocomplete": "off"},
    )
