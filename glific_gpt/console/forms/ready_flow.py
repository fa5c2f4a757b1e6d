"""Form for downloading a ready flow: time for an answer, name, keyword, model and memory."""

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from wtforms import BooleanField, Field, RadioField, SelectField, StringField, ValidationError
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, Length, Regexp

from glific_gpt.console.access import current_organization
from glific_gpt.console.forms.base import Form
from glific_gpt.console.forms.models import set_model_choices
from glific_gpt.console.forms.tokens import AuthMethodField
from glific_gpt.flows.building import Mode
from glific_gpt.flows.building.spec import EXIT_WORD, MAX_NAME_LENGTH
from glific_gpt.flows.structure import normalize_keyword
from glific_gpt.organizations.changes import STORABLE

MAX_KEYWORD_CHARACTERS = 50
DEFAULT_KEYWORD = "ask"
NO_MODEL = _("Choose an allowed model.")
# Mode async is only in the command line. The form asks how long an answer may take, which sync and auto cover.
MODE_CHOICES = [
    SelectChoice(str(Mode.SYNC), _("Up to 5 seconds")),
    SelectChoice(str(Mode.AUTO), _("Up to 2 minutes (the flow waits)")),
]


def _strip(text: str | None) -> str | None:
    return text and text.strip()


def _correct_keyword(text: str | None) -> str | None:
    """Return a keyword as Glific stores it, so that Ask Me becomes askme. A text without a letter stays as it is."""
    return text and (normalize_keyword(text) or text.strip())


def _validate_keyword(_form: Form, field: Field) -> None:
    if not normalize_keyword(field.data):
        raise ValidationError(gettext("Write one word of letters or digits. Contacts send it to start the flow."))
    if field.data == EXIT_WORD:
        raise ValidationError(gettext("Contacts type END to leave the conversation. Choose another keyword."))


class ReadyFlowForm(Form):
    """Parameters of a new flow. All fields have defaults, so that nothing needs to be changed."""

    mode = RadioField(_("Time for an answer"), choices=MODE_CHOICES, default=str(Mode.SYNC))
    name = StringField(
        _("Flow name"),
        [
            DataRequired(_("Write a name for the flow.")),
            Length(max=MAX_NAME_LENGTH, message=_("Write at most 100 characters.")),
            Regexp(STORABLE, message=_("This name contains characters that cannot be stored. Remove them.")),
        ],
        default=lambda: gettext("Ask %(name)s", name=current_organization().name)[:MAX_NAME_LENGTH],
        filters=[_strip],
        render_kw={"maxlength": MAX_NAME_LENGTH, "autocomplete": "off"},
    )
    keyword = StringField(
        _("Keyword"),
        [
            DataRequired(_("Write one word of letters or digits. Contacts send it to start the flow.")),
            Length(max=MAX_KEYWORD_CHARACTERS, message=_("Write at most 50 characters.")),
            _validate_keyword,
        ],
        default=DEFAULT_KEYWORD,
        filters=[_correct_keyword],
        render_kw={
            "maxlength": MAX_KEYWORD_CHARACTERS,
            "autocomplete": "off",
            "autocapitalize": "none",
            "spellcheck": "false",
        },
    )
    model = SelectField(_("Model"), [DataRequired(NO_MODEL)])
    documents = BooleanField(_("Answer from your documents"))
    memory = BooleanField(_("Continue the conversation (memory)"))
    auth_method = AuthMethodField()

    @classmethod
    def with_choices(cls, *, use_defaults: bool = False) -> "ReadyFlowForm":
        """Create the form with the models of the current organization.

        `use_defaults` ignores the data of the request.
        """
        form = cls(formdata=None) if use_defaults else cls()
        set_model_choices(form.model)
        return form
