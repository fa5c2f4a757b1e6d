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
from glific_gpt.flows.building.spec import LEAVING, LONGEST_NAME
from glific_gpt.flows.structure import as_kept
from glific_gpt.organizations.changes import STORABLE

LONGEST_KEYWORD = 50
KEYWORD = "ask"
NO_MODEL = _("Choose a model that your organization allows.")
# Always later (async) is left to the command line: people here ask for it by how long an answer may take.
MODES = [SelectChoice(str(Mode.SYNC), _("Up to 5 seconds")), SelectChoice(str(Mode.AUTO), _("Longer, if it must"))]


def _stripped(text: str | None) -> str | None:
    return text and text.strip()


def _as_glific_keeps_it(_form: Form, field: Field) -> None:
    """Glific hears no other keywords, so one that it would change is shown as it would be."""
    kept = as_kept(field.data)
    if not kept:
        raise ValidationError(gettext("Write a word of letters or digits: people send it to start the flow."))
    if kept != field.data:
        raise ValidationError(
            gettext("Glific keeps keywords in small letters, without spaces and signs: %(keyword)s", keyword=kept)
        )
    if kept == LEAVING:
        raise ValidationError(gettext("People type END to leave the conversation. Choose another keyword."))


class ReadyFlowForm(Form):
    """What a flow is made from. Filled in so that nothing needs to be changed."""

    mode = RadioField(_("How long may an answer take?"), choices=MODES, default=str(Mode.SYNC))
    name = StringField(
        _("Name of the flow"),
        [
            DataRequired(_("Write a name, by which you find the flow in Glific.")),
            Length(max=LONGEST_NAME, message=_("Write 100 characters at most.")),
            Regexp(STORABLE, message=_("This name cannot be used.")),
        ],
        default=lambda: gettext("Ask %(name)s", name=organization().name)[:LONGEST_NAME],
        filters=[_stripped],
        render_kw={"maxlength": LONGEST_NAME, "autocomplete": "off"},
    )
    keyword = StringField(
        _("Keyword"),
        [
            DataRequired(_("Write a word of letters or digits: people send it to start the flow.")),
            Length(max=LONGEST_KEYWORD, message=_("Write 50 characters at most.")),
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
