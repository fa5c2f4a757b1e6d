"""The form of the signature phrase: written, never shown again."""

from flask_babel import lazy_gettext as _
from wtforms import PasswordField

from glific_gpt.console.forms.base import Form

FIELD = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "off"}


class PhraseForm(Form):
    """One secret."""

    phrase = PasswordField(_("Signature phrase"), render_kw=FIELD)
