"""The form of a test question, with the fields of the function that is tried."""

from collections.abc import Mapping
from typing import Any, ClassVar

from flask_babel import lazy_gettext as _
from pydantic import JsonValue
from wtforms import BooleanField, DecimalField, Field, HiddenField, RadioField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, Length, NumberRange, Optional

from glific_gpt.console.forms.base import Form
from glific_gpt.console.forms.models import set_model_choices
from glific_gpt.console.presenters.examples import translate_example
from glific_gpt.functions.body_schema import describe_body
from glific_gpt.functions.contract import Function

MAX_CHARACTERS = 20_000
TEXT, JSON_OBJECT = "text", "json_object"
LABELS = {
    "question_text": _("Question"),
    "question": _("Question"),
    "prompt": _("Prompt"),
    "url": _("Address of the picture"),
    "vector_store_id": _("Vector store with the documents"),
}
HINTS = {
    "question_text": _("The message that a contact sends on WhatsApp."),
    "question": _("The message that a contact sends on WhatsApp."),
    "prompt": _("Instructions for the model."),
    "url": _("It begins with https://, and everybody can open it."),
    "vector_store_id": _("Leave it empty to search the documents that your organization has chosen."),
}
"""Texts of fields that several functions have. Others have their name, and the description in their docstring."""
SHORT_FIELDS = {"url", "vector_store_id"}
"""Texts of one line."""
OPTIONS = ("temperature", "response_format")
"""Fields with inputs of their own, which a function may lack."""


def _normalize_line_breaks(text: str | None) -> str | None:
    """Replace the line breaks of HTML forms, because phones send plain newlines."""
    return text and text.replace("\r\n", "\n")


class TestQuestionForm(Form):
    """The fields that a webhook node sends. `form_for` adds those of a function."""

    own_fields: ClassVar[Mapping[str, JsonValue]] = {}
    """Names of the function's fields, with their example values."""

    model = SelectField(_("Model"))
    temperature = DecimalField(
        _("Temperature"),
        [Optional(), NumberRange(0, 2, _("Write a number from 0 to 2."))],
        # Shown as it was typed. The default rounds to two decimal places.
        places=None,
        render_kw={"step": "0.1", "min": "0", "max": "2", "placeholder": "0"},
    )
    response_format = RadioField(
        _("Answer format"),
        choices=[SelectChoice(TEXT, _("Text")), SelectChoice(JSON_OBJECT, _("JSON object"))],
        default=TEXT,
    )
    memory = BooleanField(_("Continue the conversation (memory)"))
    thread_id = HiddenField()
    """The thread id of the last answer. The page keeps it, as a flow does."""

    def body(self) -> dict[str, Any]:
        """Return the function body, without empty fields."""
        temperature = self.temperature.data if self.temperature else None
        is_json = self.response_format is not None and self.response_format.data == JSON_OBJECT
        own = {name: _read(self[name].data, example) for name, example in self.own_fields.items()}
        fields = own | {
            "gpt_model": self.model.data,
            "temperature": None if temperature is None else float(temperature),
            "response_format": {"type": JSON_OBJECT} if is_json else None,
            "thread_id": (self.thread_id.data or "") if self.memory.data else None,
        }
        return {name: value for name, value in fields.items() if value is not None}


def form_for(function: Function[Any]) -> TestQuestionForm:
    """Return the form of a function: the fields of its example, and the options that it accepts."""
    schema = describe_body(function)
    own = {name: value for name, value in function.example.items() if name not in OPTIONS}
    fields: dict[str, Any] = {name: _create_field(function, schema, name) for name in own}
    absent = dict.fromkeys(name for name in OPTIONS if name not in schema["properties"])
    form: TestQuestionForm = type("FunctionForm", (TestQuestionForm,), fields | absent | {"own_fields": own})()
    set_model_choices(form.model, function.needs)
    return form


def hint_of(function: Function[Any], name: str) -> str:
    """Return what a field of the function is for."""
    described: str = describe_body(function)["properties"][name].get("description", "")
    return str(HINTS.get(name, described))


def _create_field(function: Function[Any], schema: Mapping[str, Any], name: str) -> Field:
    example = translate_example(function)[name]
    is_required = name in {*schema.get("required", ()), *function.flow_values}
    # An example of what a contact sends, or of the organization's own settings, must not be sent by mistake.
    default = None if is_required or name in function.settings else example
    presence = DataRequired(_("Fill in this field.")) if is_required else Optional()
    arguments = (LABELS.get(name, name), [presence, Length(max=MAX_CHARACTERS)], (_normalize_line_breaks,))
    shown = None if default is None else str(default)
    if isinstance(example, str) and name not in SHORT_FIELDS:
        return TextAreaField(*arguments, default=shown, render_kw={"rows": 3, "placeholder": example})
    return StringField(*arguments, default=shown, render_kw={"placeholder": str(example)})


def _read(text: str | None, example: JsonValue) -> JsonValue:
    """Return the value of a field; None for an empty one. Numbers are sent as numbers."""
    is_number = isinstance(example, int | float) and not isinstance(example, bool)
    if text and is_number and text.strip().isdecimal():
        return int(text)
    return text or None
