"""Test questions: a real call, as Glific would make it."""

import json
from typing import Any

from flask import render_template
from flask_babel import lazy_gettext as _
from pydantic import JsonValue
from wtforms import BooleanField, DecimalField, HiddenField, RadioField, SelectField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, Length, NumberRange, Optional

from glific_gpt.console.access import AccessLevel, current_organization, requires
from glific_gpt.console.blueprint import blueprint
from glific_gpt.console.forms.base import Form
from glific_gpt.console.forms.models import set_model_choices
from glific_gpt.console.presenters import whatsapp
from glific_gpt.console.presenters.advice import FIX_PAGES, PAGE_NAMES, advice_for
from glific_gpt.console.presenters.labels import ERROR_CLASS_NAMES
from glific_gpt.console.test_call import TestCall, make_test_call
from glific_gpt.errors import DeadlineExceeded, RateLimited
from glific_gpt.schemas import webhook_url
from glific_gpt.services import services

TRY_IT_URL = "/organizations/<slug>/try-it"
GLIFIC_TIMEOUT_MS = 5000
MAX_CHARACTERS = 20_000
TEXT, JSON_OBJECT = "text", "json_object"
DEFAULT_PROMPT = "Answer in less than 5 sentences, in the language of the question."
MAX_DEPTH = 3


def _normalize_line_breaks(text: str | None) -> str | None:
    """Replace the line breaks of HTML forms, because phones send plain newlines."""
    return text and text.replace("\r\n", "\n")


class TestQuestionForm(Form):
    """The fields that a webhook node sends."""

    question = TextAreaField(
        _("Question"),
        [DataRequired(_("Write a question.")), Length(max=MAX_CHARACTERS)],
        filters=[_normalize_line_breaks],
        render_kw={"rows": 3},
    )
    prompt = TextAreaField(
        _("Prompt"),
        [Optional(), Length(max=MAX_CHARACTERS)],
        filters=[_normalize_line_breaks],
        default=DEFAULT_PROMPT,
        render_kw={"rows": 3},
    )
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
        temperature = self.temperature.data
        fields = {
            "question_text": self.question.data,
            "prompt": self.prompt.data or None,
            "gpt_model": self.model.data,
            "temperature": None if temperature is None else float(temperature),
            "response_format": {"type": JSON_OBJECT} if self.response_format.data == JSON_OBJECT else None,
            "thread_id": (self.thread_id.data or "") if self.memory.data else None,
        }
        return {name: value for name, value in fields.items() if value is not None}


@blueprint.get(TRY_IT_URL)
@requires(AccessLevel.VIEWER)
def try_it(slug: str) -> str:
    return _render(_question_form(), None)


@blueprint.post(TRY_IT_URL)
@requires(AccessLevel.EDITOR)
def ask_test_question(slug: str) -> tuple[str, int]:
    """Make the call. Its answer is shown in this response only and not stored."""
    form = _question_form()
    if not form.validate_on_submit():
        return _render(form, None), 422
    try:
        with services().waiting_pages.hold(slug):
            test_call = make_test_call(current_organization(), form.body())
    except RateLimited as error:
        form.add_error(error)
        return _render(form, None), error.status
    form.thread_id.data = test_call.thread_id
    return _render(form, test_call), 200


def _question_form() -> TestQuestionForm:
    form = TestQuestionForm()
    set_model_choices(form.model)
    return form


def _render(form: TestQuestionForm, test_call: TestCall | None) -> str:
    url = webhook_url(services().settings.public_url, current_organization().slug)
    values = {"form": form, "test_call": test_call, "url": url, "whatsapp_text": whatsapp.render_message}
    return render_template("console/try_it.html", **values, **(_result_variables(test_call) if test_call else {}))


def _result_variables(test_call: TestCall) -> dict[str, Any]:
    """Return the template variables of a finished call."""
    code = str(test_call.outcome.body.get("error_code", ""))
    endpoint = FIX_PAGES.get(code)
    # The bar shows at least 6 seconds, so that the mark at 5 seconds is always visible.
    scale_ms = max(6000, round(test_call.milliseconds * 1.1))
    return {
        "bar": {"took": 100 * test_call.milliseconds / scale_ms, "limit": 100 * GLIFIC_TIMEOUT_MS / scale_ms},
        "in_time": test_call.milliseconds < GLIFIC_TIMEOUT_MS,
        "is_timed_out": code == DeadlineExceeded.code,
        "advice": advice_for(code),
        "whose": ERROR_CLASS_NAMES.get(str(test_call.outcome.body.get("error_class", ""))),
        # No link to the page that the user is on.
        "fix_page": endpoint if endpoint != "console.try_it" else None,
        "page_names": PAGE_NAMES,
        "variables": list(_flow_variables("@results.gpt_response.parsed_msg", test_call.answer)),
    }


def _flow_variables(name: str, value: JsonValue, depth: int = 0) -> list[tuple[str, str]]:
    """Return the Glific variables of a JSON answer, with their values."""
    if isinstance(value, dict) and depth < MAX_DEPTH:
        parts = (_flow_variables(f"{name}.{key}", part, depth + 1) for key, part in value.items())
        return [pair for part in parts for pair in part]
    return [(name, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))]
