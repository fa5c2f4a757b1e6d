"""Form for downloading a ready flow: time for an answer, name, keyword, model, prompt and language."""

from flask import request
from flask_babel import get_locale, gettext
from flask_babel import lazy_gettext as _
from wtforms import BooleanField, Field, RadioField, SelectField, StringField, TextAreaField, ValidationError
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, Length, Optional, Regexp

from glific_gpt.console.access import current_organization
from glific_gpt.console.context import LANGUAGES
from glific_gpt.console.forms.base import Form
from glific_gpt.console.forms.models import set_model_choices
from glific_gpt.console.forms.tokens import AuthMethodField
from glific_gpt.flows.building import Language, Mode, default_prompt
from glific_gpt.flows.building.spec import MAX_NAME_LENGTH, MAX_PROMPT_LENGTH
from glific_gpt.flows.building.texts import texts_in
from glific_gpt.flows.structure import normalize_keyword
from glific_gpt.flows.variables import find_joined
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


def _normalize(text: str | None) -> str | None:
    """Remove blanks at the ends, and replace the line breaks of HTML forms."""
    return text and text.replace("\r\n", "\n").strip()


def _page_language() -> str:
    """Return the language of the page, if flows can have it."""
    locale = str(get_locale())
    return locale if locale in list(Language) else Language.ENGLISH


def _validate_prompt(_form: Form, field: Field) -> None:
    if joined := find_joined(field.data):
        text = gettext("Glific does not fill %(variable)s here. Put a space after it.", variable=joined[0])
        raise ValidationError(text)


def _correct_keyword(text: str | None) -> str | None:
    """Return a keyword as Glific stores it, so that Ask Me becomes askme. A text without a letter stays as it is."""
    return text and (normalize_keyword(text) or text.strip())


def _validate_keyword(form: Form, field: Field) -> None:
    if not normalize_keyword(field.data):
        raise ValidationError(gettext("Write one word of letters or digits. Contacts send it to start the flow."))
    if form.language.data in list(Language) and field.data in texts_in(Language(form.language.data)).exit_words:
        text = gettext(
            "Contacts type %(word)s to leave the conversation. Choose another keyword.", word=field.data.upper()
        )
        raise ValidationError(text)


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
    prompt = TextAreaField(
        _("Prompt"),
        [
            Optional(),
            Length(max=MAX_PROMPT_LENGTH, message=_("Write at most 20,000 characters.")),
            Regexp(STORABLE, message=_("The prompt contains characters that cannot be stored. Remove them.")),
            _validate_prompt,
        ],
        filters=[_normalize],
        render_kw={"rows": 3},
    )
    language = RadioField(
        _("Language of the messages"),
        choices=[SelectChoice(*each) for each in LANGUAGES.items()],
        default=_page_language,
    )
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

    @classmethod
    def prefilled(cls) -> "ReadyFlowForm":
        """Create the form with its defaults, and with the values of a test question in the request."""
        form = cls.with_choices(use_defaults=True)
        form.prompt.data = _normalize(request.form.get("prompt"))
        form.memory.data = "memory" in request.form
        form.documents.data = "documents" in request.form
        if request.form.get("model") in [choice.value for choice in form.model.choices]:
            form.model.data = request.form["model"]
        return form

    def suggested_prompt(self) -> str:
        """Return the prompt that a flow gets if the field stays empty."""
        return default_prompt(Language(_page_language()))
