"""The form that takes a flow which Glific exported."""

from flask_babel import lazy_gettext as _
from flask_wtf.file import FileField, FileRequired
from wtforms import RadioField
from wtforms.fields.choices import SelectChoice

from glific_gpt.console.forms.base import Form
from glific_gpt.console.forms.tokens import LetInField
from glific_gpt.ready_flows import Place

FIELD = "flow"
MEBIBYTES = 5
MOST = MEBIBYTES * 1024 * 1024
"""Bytes."""
BUSY = _("Another file is being converted: try again in a moment.")
NO_FILE = _("Choose the file first.")
TOO_LARGE = _("This file is larger than 5 MiB. Export the flow alone, without others.")
PLACES = [
    SelectChoice(str(Place.BESIDE), _("Beside the old flow, to try it first")),
    SelectChoice(str(Place.INSTEAD), _("In the old one's place")),
]


class ConversionForm(Form):
    """A file, which is looked at and kept nowhere."""

    flow = FileField(_("The flow that you exported"), [FileRequired(NO_FILE)])
    # People's flow goes on while they try: the command line keeps the file as it was instead, unless told otherwise.
    place = RadioField(_("Where it goes in Glific"), choices=PLACES, default=str(Place.BESIDE))
    let_in = LetInField(id="convert-let-in")

    def read(self) -> bytes:
        """What was sent, once it is valid."""
        content: bytes = self.flow.data.read()
        return content
