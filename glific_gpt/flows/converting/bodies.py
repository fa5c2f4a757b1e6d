"""Convert the body of a webhook: add what this server needs, and settle on a model that it can ask."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from glific_gpt.errors import GlificGptError, ModelNotAllowed
from glific_gpt.flows.converting import report
from glific_gpt.flows.converting.functions import FILE_SEARCH, ConvertibleFunction
from glific_gpt.flows.converting.report import Remark
from glific_gpt.flows.files import StrictJsonError, parse_json
from glific_gpt.flows.structure import JsonObject, as_object, as_string
from glific_gpt.flows.threads import THREAD_ID
from glific_gpt.flows.variables import MAX_DEFAULTS, find_unresolved

GLIFIC_DEFAULT_MODEL = "gpt-4o"
"""Glific's own function uses this model if the body has no `model`."""


@dataclass(frozen=True)
class ModelRules:
    """The rules of this server about models, and the documents that models search."""

    refusal: Callable[[str], GlificGptError | None] = lambda _model: None
    """Returns the reason why this server refuses a model; None if it does not."""
    schema_model: Callable[[str], tuple[str, str] | None] = lambda _model: None
    """Returns a model that cannot answer by a JSON schema, and another one that can; None if the model can.

    The model is "" if the body names none: then it is the default.
    """
    inability: Callable[[str, str], Remark | None] = lambda _function, _model: None
    """Returns a warning about a function and a model that cannot do what it needs; None if it can.

    The model is "" if the body names none: then it is the default.
    """
    vector_store_id: str = ""
    """The vector store of the organization, which replaces assistants of Glific; "" if none is chosen."""


GLIFIC_VALUES = {"contact": "@contact", "results": "@results", "flow_id": "@flow.id"}
"""Values that this server needs in each body."""
_CUSTOM_VALUE_TEMPLATES = {
    "contact": report.CUSTOM_CONTACT,
    "results": report.CUSTOM_RESULTS,
    "flow_id": report.CUSTOM_FLOW_ID,
}


ASSISTANT_ID, VECTOR_STORE_ID = "assistant_id", "vector_store_id"

DEFAULT_TEXT = "-"
"""Stands for an answer that the node does not have yet."""


class ModelNotText(Exception):
    """The body names a model that this server never uses. The text of the exception is the model."""


class BodyNotAnObject(Exception):
    """The body is not a JSON object: Glific itself cannot send it."""


@dataclass(frozen=True)
class ConvertedBody:
    """A request body for this server."""

    text: str
    """JSON; the author's text if nothing was missing."""
    warnings: list[Remark] = field(default_factory=list)


def convert_body(
    body: Any, function: ConvertibleFunction, result_name: str, models: ModelRules, *, begins_thread: bool = False
) -> ConvertedBody:
    """Add the values that this server needs to a body. Raises BodyNotAnObject and ModelNotText.

    With `begins_thread` another node continues the conversation. Glific's functions for assistants always answer with a
    thread_id, this server only if the body has one.
    """
    if body is None or body == "":
        return ConvertedBody(_dump({**GLIFIC_VALUES, function.required: ""}), [Remark(function.empty_body)])
    original = _parse_object(body)
    converted, warnings = _resolve_models(original)
    warnings = _check_model(converted, function.name, models, warnings)
    if function.name == FILE_SEARCH:
        converted, store_warning = _replace_assistant(converted, models.vector_store_id)
        warnings += store_warning
    warnings += _add_defaults(converted, result_name)
    warnings += [
        Remark(_CUSTOM_VALUE_TEMPLATES[key])
        for key, value in GLIFIC_VALUES.items()
        if converted.setdefault(key, value) != value
    ]
    if begins_thread:
        converted.setdefault(THREAD_ID, "")
    if function.required not in converted:
        warnings.append(Remark(function.missing))
    return ConvertedBody(body if converted == original else _dump(converted), warnings)


def _replace_assistant(body: JsonObject, store: str) -> tuple[JsonObject, list[Remark]]:
    """Return the body with a vector store in place of the assistant, which belongs to Glific's OpenAI account.

    Without a store the field stays empty, so that the one that the organization chooses later is searched.
    """
    assistant = as_string(body.get(ASSISTANT_ID)).strip()
    if body.get(VECTOR_STORE_ID):
        return {key: value for key, value in body.items() if key != ASSISTANT_ID}, []
    replaced = {VECTOR_STORE_ID if key == ASSISTANT_ID else key: value for key, value in body.items()}
    if ASSISTANT_ID in body:
        replaced[VECTOR_STORE_ID] = store
    if assistant:
        template = report.ASSISTANT_REPLACED if store else report.ASSISTANT_WITHOUT_STORE
        return replaced, [Remark(template, {"assistant": assistant, "store": store})]
    return replaced, [] if store else [Remark(report.NO_STORE)]


def _check_model(body: JsonObject, function: str, models: ModelRules, warnings: list[Remark]) -> list[Remark]:
    """Change a model that cannot do what the body asks for. Return all warnings. Raises ModelNotText."""
    key = next((key for key in ("gpt_model", "model") if _model(body, key)), "gpt_model")
    model = _model(body, key)
    if "@" in model:
        return warnings
    _refusal_warnings(model, models)  # raises for a model that is no text model
    if as_object(body.get("response_format")).get("type") == "json_schema" and (found := models.schema_model(model)):
        old, model = found
        body[key] = model
        warnings = [Remark(report.JSON_SCHEMA_MODEL, {"model": old, "replacement": model})]
    inability = models.inability(function, model)
    return warnings + _refusal_warnings(model, models) + ([inability] if inability else [])


def _refusal_warnings(model: str, models: ModelRules) -> list[Remark]:
    error = models.refusal(model) if model else None
    if error is not None and not isinstance(error, ModelNotAllowed):
        raise ModelNotText(model)
    # An administrator can allow the model later, so the node is converted with a warning.
    return [Remark(report.MODEL_NOT_ALLOWED, {"model": model})] if error else []


def _add_defaults(body: JsonObject, result_name: str) -> list[Remark]:
    """Add a text for each variable that reads the node's own earlier answer, which the first call does not have.

    Glific's function sent the names of such variables to the model. This server refuses calls with them.
    """
    values = (body.get(key) for key in ("prompt", "question_text", "question"))
    texts = [(text.strip(), text) for text in map(as_string, values)]
    read = [variable for whole, text in texts for variable in find_unresolved(text) if variable != whole]
    own = list(dict.fromkeys(variable for variable in read if variable.split(".")[:2] == ["@results", result_name]))
    present = body.get("defaults", {})
    if not own or not isinstance(present, dict):
        return []
    # Without the @, so that Glific does not fill the name.
    missing = [variable for variable in own if variable.removeprefix("@") not in present]
    added = missing[: max(0, MAX_DEFAULTS - len(present))]
    body["defaults"] = {variable.removeprefix("@"): DEFAULT_TEXT for variable in added} | present
    omitted = missing[len(added) :]
    remarks = [Remark(report.PROMPT_READS_ANSWER, {"variable": each}) for each in own if each not in omitted]
    if omitted:
        numbers = {"number": str(len(present) + len(missing)), "limit": str(MAX_DEFAULTS)}
        remarks.append(Remark(report.TOO_MANY_DEFAULTS, numbers))
    return remarks


def _model(body: JsonObject, key: str) -> str:
    """Return the model; "" for null or blank, which the webhook treats as absent too."""
    return as_string(body.get(key)).strip()


def _parse_object(body: Any) -> JsonObject:
    try:
        value = parse_json(body) if isinstance(body, str) else None
    except StrictJsonError:
        value = None
    if not isinstance(value, dict):
        raise BodyNotAnObject
    return value


def _resolve_models(body: JsonObject) -> tuple[JsonObject, list[Remark]]:
    """Return the body with one model, and warnings.

    Glific's function reads `model`, but its documentation names `gpt_model`, so authors mean the latter.
    """
    gpt_model, model = _model(body, "gpt_model"), _model(body, "model")
    if not gpt_model or gpt_model.lower() == (model or GLIFIC_DEFAULT_MODEL).lower():
        return {**body}, []
    values = {"gpt_model": gpt_model, "model": model}
    if not model:
        return {**body}, [Remark(report.GPT_MODEL_HONOURED, values)]
    return {key: body[key] for key in body if key != "model"}, [Remark(report.TWO_MODELS, values)]


def _dump(body: JsonObject) -> str:
    return json.dumps(body, indent=2, ensure_ascii=False)
