"""Test questions: a real call, as Glific would make it."""

import json
from typing import Any

from flask import render_template
from pydantic import JsonValue

from glific_gpt.console.access import AccessLevel, current_organization, requires
from glific_gpt.console.blueprint import blueprint
from glific_gpt.console.chosen_function import chosen_function
from glific_gpt.console.forms.test_question import TestQuestionForm, form_for, hint_of
from glific_gpt.console.presenters import whatsapp
from glific_gpt.console.presenters.advice import PAGE_NAMES, advice_for, fix_page_of
from glific_gpt.console.presenters.labels import ERROR_CLASS_NAMES
from glific_gpt.console.test_call import TestCall, make_test_call
from glific_gpt.errors import DeadlineExceeded, RateLimited
from glific_gpt.flows.building import READY_FLOW_FUNCTIONS
from glific_gpt.functions.contract import Function
from glific_gpt.schemas import webhook_url
from glific_gpt.services import services

TRY_IT_URL = "/organizations/<slug>/try-it"
GLIFIC_TIMEOUT_MS = 5000
MAX_DEPTH = 3


@blueprint.get(TRY_IT_URL)
@requires(AccessLevel.VIEWER)
def try_it(slug: str) -> str:
    function = chosen_function()
    return _render(function, form_for(function), None)


@blueprint.post(TRY_IT_URL)
@requires(AccessLevel.EDITOR)
def ask_test_question(slug: str) -> tuple[str, int]:
    """Make the call. Its answer is shown in this response only and not stored."""
    function = chosen_function()
    form = form_for(function)
    if not form.validate_on_submit():
        return _render(function, form, None), 422
    try:
        with services().waiting_pages.hold(slug):
            test_call = make_test_call(current_organization(), function, form.body())
    except RateLimited as error:
        form.add_error(error)
        return _render(function, form, None), error.status
    form.thread_id.data = test_call.thread_id
    return _render(function, form, test_call), 200


def _render(function: Function[Any], form: TestQuestionForm, test_call: TestCall | None) -> str:
    values = {
        "form": form,
        "function": function,
        "functions": services().functions.all(),
        "hints": {name: hint_of(function, name) for name in form.own_fields},
        "test_call": test_call,
        "has_ready_flow": function.name in READY_FLOW_FUNCTIONS,
        "url": webhook_url(services().settings.public_url, current_organization().slug, function.name),
        "whatsapp_text": whatsapp.render_message,
    }
    return render_template("console/try_it.html", **values, **(_result_variables(test_call) if test_call else {}))


def _result_variables(test_call: TestCall) -> dict[str, Any]:
    """Return the template variables of a finished call."""
    code = str(test_call.outcome.body.get("error_code", ""))
    endpoint = fix_page_of(code, test_call.call)
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
