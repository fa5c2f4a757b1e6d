"""Form for converting a flow that was exported from Glific."""

from flask_babel import lazy_gettext as _
from flask_wtf.file import FileField, FileRequired
from wtforms import RadioField
from wtforms.fields.choices import SelectChoice

from glific_gpt.console.forms.base import Form
from glific_gpt.console.forms.tokens import AuthMethodField
from glific_gpt.operations.ready_flows import Placement

FILE_FIELD = "flow"
BUSY = _("The server is converting another file. Try again in a moment.")
NO_FILE = _("Choose a file.")
TOO_LARGE = _("This file is larger than 5 MiB. Export only the flow that you want to convert.")
PLACEMENT_CHOICES = [
    SelectChoice(str(Placement.COPY), _("As a new flow beside the old one (to test it first)")),
    SelectChoice(str(Placement.IN_PLACE), _("In the old flow, by hand")),
]


class ConversionForm(Form):
    """An exported file, which is not stored, and two choices."""

    flow = FileField(_("Exported flow"), [FileRequired(NO_FILE)])
    place = RadioField(_("Place in Glific"), choices=PLACEMENT_CHOICES, default=str(Placement.COPY))
    auth_method = AuthMethodField(id="convert-auth-method")

    def read(self) -> bytes:
        """Return the content of the file of a valid form."""
        content: bytes = self.flow.data.read()
        return content
