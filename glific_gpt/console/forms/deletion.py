"""Confirmation of a deletion: the name of what is deleted has to be typed."""

from flask_babel import lazy_gettext as _
from wtforms import StringField
from wtforms.validators import DataRequired

from glific_gpt.console.forms.base import Form


class DeletionForm(Form):
    """The typed name."""

    typed = StringField(
        _("Type it here to confirm"),
        [DataRequired(_("Type the name that stands above."))],
        render_kw={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"},
    )

    def confirms(self, name: str) -> bool:
        """Return whether this name was typed. Otherwise the field has an error."""
        if not self.validate_on_submit():
            return False
        if str(self.typed.data).strip() == name:
            return True
        self.typed.errors = [str(_("This is not the name that stands above. Nothing was deleted."))]
        return False
