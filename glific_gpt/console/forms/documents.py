"""Forms of the page Documents: upload, a new vector store, and actions on one store or document."""

from flask_babel import lazy_gettext as _
from flask_wtf.file import FileField, FileRequired
from wtforms import HiddenField, StringField
from wtforms.validators import Length, Optional, Regexp

from glific_gpt.console.forms.base import Form
from glific_gpt.settings import VECTOR_STORE_ID

FILE_FIELD = "document"
MAX_NAME = 100
BUSY = _("The server is passing on other documents. Try again in a moment.")
NO_FILE = _("Choose a file.")
TOO_LARGE = _("This file is larger than 12 MiB. Split it, or upload it at platform.openai.com under Storage.")
FILE_ID = r"^[A-Za-z0-9_-]{1,200}$"


class UploadForm(Form):
    """A document for one store. It is passed on to OpenAI."""

    document = FileField(_("Document"), [FileRequired(NO_FILE)])
    store_id = HiddenField(validators=[Regexp(VECTOR_STORE_ID)])


class NewStoreForm(Form):
    name = StringField(
        _("Name"),
        [Length(1, MAX_NAME, _("Write a name of 1 to 100 characters."))],
        filters=[lambda name: (name or "").strip()],
        render_kw={"maxlength": MAX_NAME},
    )


class StoreForm(Form):
    """The choice of a store; an empty id is the choice of none."""

    store_id = HiddenField(validators=[Optional(), Regexp(VECTOR_STORE_ID)])


class DocumentForm(Form):
    """One document of a store."""

    store_id = HiddenField(validators=[Regexp(VECTOR_STORE_ID)])
    file_id = HiddenField(validators=[Regexp(FILE_ID)])
