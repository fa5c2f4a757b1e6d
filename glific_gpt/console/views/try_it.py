"""Try it: a real call, as Glific would make it."""

import json
from typing import Any

from flask import render_template
from flask_babel import lazy_gettext as _
from pydantic import JsonValue
from wtforms import DecimalField, RadioField, SelectField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, Length, NumberRange, Optional

from glific_gpt.console import test_call
from glific_gpt.console.access import Lock, needs, organization
from glific_gpt.console.blueprint import blueprint
from glific_gpt.console.forms.base import Form
from glific_gpt.console.forms.models import offer_models
from glific_gpt.console.presenters import whatsapp
from glific_gpt.console.presenters.advice import MENDED_AT, PAGE_NAMES, advise
from glific_gpt.console.presenters.labels import FAULTS
from glific_gpt.console.test_call import Trial
from glific_gpt.schemas import webhook_url
from glific_gpt.services import services

RULE = "/organizations/<slug>/try-it"
GLIFIC_WAITS = 5000
"""Milliseconds."""
LONGEST = 20_000
TEXT, JSON_OBJECT = "text", "json_object"
PROMPT = "Answer in less than 5 sentences, in the language of the question."
AT_MOST_DEEP = 3


def _plain(text: str | None) -> str | None:
    """With line breaks as phones send them."""
    return text and text.replace("\r\n", "\n")


class TryForm(Form):
    """What a webhook node sends."""

    question = TextAreaField(
        _("Question"),
        [DataRequired(_("Write a question.")), Length(max=LONGEST)],
        filters=[_plain],
        render_kw={"rows": 3},
    )
    prompt = TextAreaField(
        _("Prompt"), [Optional(), Length(max=LONGEST)], filters=[_plain], default=PROMPT, render_kw={"rows": 3}
    )
    model = SelectField(_("Model"))
    temperature = DecimalField(
        _("Temperature"),
        [Optional(), NumberRange(0, 2, _("Write a number from 0 to 2."))],
        places=None,
        render_kw={"step": "0.1", "min": "0", "max": "2", "placeholder": "0"},
    )
    response_format = RadioField(
        _("Answer format"),
        choices=[SelectChoice(TEXT, _("Text")), SelectChoice(JSON_OBJECT, _("JSON object"))],
        default=TEXT,
    )

    def body(self) -> dict[str, Any]:
        """The function body, without what was left empty."""
        temperature = self.temperature.data
        known = {
            "question_text": self.question.data,
            "prompt": self.prompt.data or None,
            "gpt_model": self.model.data,
            "temperature": None if temperature is None else float(temperature),
            "response_format": {"type": JSON_OBJECT} if self.response_format.data == JSON_OBJECT else None,
        }
        return {name: value for name, value in known.items() if value is not None}


@blueprint.get(RULE)
@needs(Lock.VIEWER)
def try_it(slug: str) -> str:
    return _page(_form(), None)


@blueprint.post(RULE)
@needs(Lock.EDITOR)
def make_trial(slug: str) -> tuple[str, int]:
    """The answer is in this page alone, so nothing of it needs to be kept."""
    form = _form()
    if not form.validate_on_submit():
        return _page(form, None), 422
    return _page(form, test_call.attempt(organization(), form.body())), 200


def _form() -> TryForm:
    form = TryForm()
    offer_models(form.model)
    return form


def _page(form: TryForm, trial: Trial | None) -> str:
    url = webhook_url(services().settings.public_url, organization().slug)
    values = {"form": form, "trial": trial, "url": url, "bubble": whatsapp.shown}
    return render_template("console/try_it.html", **values, **(_told(trial) if trial else {}))


def _told(trial: Trial) -> dict[str, Any]:
    """What the page says of a call."""
    code = str(trial.outcome.body.get("error_code", ""))
    endpoint = MENDED_AT.get(code)
    longest = max(6000, round(trial.milliseconds * 1.1))
    return {
        "bar": {"took": 100 * trial.milliseconds / longest, "limit": 100 * GLIFIC_WAITS / longest},
        "in_time": trial.milliseconds < GLIFIC_WAITS,
        "advice": advise(code),
        "whose": FAULTS.get(str(trial.outcome.body.get("error_class", ""))),
        # The error of a slow model is mended elsewhere than on this very page.
        "mended_at": endpoint if endpoint != "console.try_it" else None,
        "page_names": PAGE_NAMES,
        "variables": list(_variables("@results.gpt_response.parsed_msg", trial.answer)),
    }


def _variables(name: str, value: JsonValue, depth: int = 0) -> list[tuple[str, str]]:
    """What the flow can read of an answer in JSON, by name."""
    if isinstance(value, dict) and depth < AT_MOST_DEEP:
        parts = (_variables(f"{name}.{key}", part, depth + 1) for key, part in value.items())
        return [pair for part in parts for pair in part]
    return [(name, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))]
