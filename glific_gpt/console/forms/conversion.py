"""The form that takes a flow which Glific exported."""

from flask_babel import lazy_gettext as _
from flask_wtf.file import FileField, FileRequired
from wtforms import RadioField
from wtforms.fields.choices import SelectChoice

from glific_gpt.console.forms.base import Form
from glific_gpt.console.forms.tokens import LetInField
from glific_gpt.ready_flows import Placement

FIELD = "flow"
MEBIBYTES = 5
MOST = MEBIBYTES * 1024 * 1024
"""Bytes."""
BUSY = _("The server is converting another file. Try again in a moment.")
NO_FILE = _("Choose a file.")
TOO_LARGE = _("This file is larger than 5 MiB. Export only the flow that you want to convert.")
PLACES = [
    SelectChoice(str(Placement.BESIDE), _("As a new flow beside the old one (to test it first)")),
    SelectChoice(str(Placement.INSTEAD), _("In place of the old flow")),
]


class ConversionForm(Form):
    """A file, which is looked at and kept nowhere."""

    flow = FileField(_("Exported flow"), [FileRequired(NO_FILE)])
    # People's flow goes on while they try: the command line keeps the file as it was instead, unless told otherwise.
    place = RadioField(_("Place in Glific"), choices=PLACES, default=str(Placement.BESIDE))
    let_in = LetInField(id="convert-let-in")

    def read(self) -> bytes:
        """What was sent, once it is valid."""
        content: bytes = self.flow.data.read()
        return content
