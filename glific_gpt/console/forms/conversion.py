"""The form that takes a flow which Glific exported."""

from flask_babel import lazy_gettext as _
from flask_wtf.file import FileField, FileRequired

from glific_gpt.console.forms.base import Form
from glific_gpt.console.forms.let_in import LetInField

FIELD = "flow"
MEBIBYTES = 10
MOST = MEBIBYTES * 1024 * 1024
"""Bytes."""
NO_FILE = _("Choose the file first.")
TOO_LARGE = _("This file is larger than 10 MiB. Export the flow alone, without others.")


class ConversionForm(Form):
    """A file, which is looked at and kept nowhere."""

    flow = FileField(_("The flow that you exported"), [FileRequired(NO_FILE)])
    let_in = LetInField(id="convert-let-in")

    def read(self) -> bytes:
        """What was sent, once it is valid."""
        content: bytes = self.flow.data.read()
        return content
