"""The form of a flow that is ready to import: how long an answer may take, its name, keyword and model."""

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from wtforms import Field, RadioField, SelectField, StringField, ValidationError
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, Length, Regexp

from glific_gpt.console.access import organization
from glific_gpt.console.forms.base import Form
from glific_gpt.console.forms.models import offer_models
from glific_gpt.console.forms.tokens import LetInField
from glific_gpt.flows.building import Mode
from glific_gpt.flows.building.spec import EXIT_WORD, MAX_NAME_LENGTH
from glific_gpt.flows.structure import normalize_keyword
from glific_gpt.organizations.changes import STORABLE

LONGEST_KEYWORD = 50
KEYWORD = "ask"
NO_MODEL = _("Choose an allowed model.")
# Always later (async) is left to the command line: people here ask for it by how long an answer may take.
MODES = [
    SelectChoice(str(Mode.SYNC), _("Up to 5 seconds")),
    SelectChoice(str(Mode.AUTO), _("Up to 2 minutes (the flow waits)")),
]


def _stripped(text: str | None) -> str | None:
    return text and text.strip()


def _as_glific_keeps_it(_form: Form, field: Field) -> None:
    """Glific hears no other keywords, so one that it would change is shown as it would be."""
    kept = normalize_keyword(field.data)
    if not kept:
        raise ValidationError(gettext("Write one word of letters or digits. Contacts send it to start the flow."))
    if kept != field.data:
        raise ValidationError(
            gettext("Glific stores keywords in small letters without spaces or signs. Write: %(keyword)s", keyword=kept)
        )
    if kept == EXIT_WORD:
        raise ValidationError(gettext("Contacts type END to leave the conversation. Choose another keyword."))


class ReadyFlowForm(Form):
    """What a flow is made from. Filled in so that nothing needs to be changed."""

    mode = RadioField(_("Time for an answer"), choices=MODES, default=str(Mode.SYNC))
    name = StringField(
        _("Flow name"),
        [
            DataRequired(_("Write a name for the flow.")),
            Length(max=MAX_NAME_LENGTH, message=_("Write at most 100 characters.")),
            Regexp(STORABLE, message=_("This name contains characters that cannot be stored. Remove them.")),
        ],
        default=lambda: gettext("Ask %(name)s", name=organization().name)[:MAX_NAME_LENGTH],
        filters=[_stripped],
        render_kw={"maxlength": MAX_NAME_LENGTH, "autocomplete": "off"},
    )
    keyword = StringField(
        _("Keyword"),
        [
            DataRequired(_("Write one word of letters or digits. Contacts send it to start the flow.")),
            Length(max=LONGEST_KEYWORD, message=_("Write at most 50 characters.")),
            _as_glific_keeps_it,
        ],
        default=KEYWORD,
        filters=[_stripped],
        render_kw={
            "maxlength": LONGEST_KEYWORD,
            "autocomplete": "off",
            "autocapitalize": "none",
            "spellcheck": "false",
        },
    )
    model = SelectField(_("Model"), [DataRequired(NO_MODEL)])
    let_in = LetInField()

    @classmethod
    def offering(cls, *, filled_in: bool = False) -> "ReadyFlowForm":
        """With the organization's models; as it was sent, or filled in by us."""
        form = cls(formdata=None) if filled_in else cls()
        offer_models(form.model)
        return form
