"""The form of a new webhook token."""

from flask_babel import lazy_gettext as _
from wtforms import StringField
from wtforms.validators import DataRequired, Length, Regexp

from glific_gpt.console.forms.base import Form
from glific_gpt.organizations.changes import STORABLE

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
