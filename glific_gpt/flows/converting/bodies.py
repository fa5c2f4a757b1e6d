"""The body of a GPT node, with what this server needs besides."""

import json
from typing import Any

from glific_gpt.flows.converting import sentences
from glific_gpt.flows.converting.report import Remark
from glific_gpt.flows.strict import NotStrict, decoded

FROM_GLIFIC = {"contact": "@contact", "results": "@results", "flow_id": "@flow.id"}
GLIFICS_MODEL = "gpt-4o"
"""What Glific's own function asks when the body has no `model`."""


class NotAnObject(Exception):
    """The body is not a JSON object: Glific itself cannot send it."""


def adapted(body: Any) -> tuple[str, list[Remark]]:
    """The body for this server, and what to mind; the author's own text if it lacks nothing.

    Raises NotAnObject.
    """
    if body is None or body == "":
        return _written({**FROM_GLIFIC, "question_text": ""}), [Remark(sentences.NO_BODY)]
    given = _object(body)
    wanted, remarks = _with_one_model(given)
    wanted |= {key: value for key, value in FROM_GLIFIC.items() if key not in wanted}
    if "question_text" not in wanted:
        remarks.append(Remark(sentences.NO_QUESTION))
    return (body if wanted == given else _written(wanted)), remarks


def _object(body: Any) -> dict[str, Any]:
    try:
        found = decoded(body) if isinstance(body, str) else None
    except NotStrict:
        found = None
    if not isinstance(found, dict):
        raise NotAnObject
    return found


def _with_one_model(given: dict[str, Any]) -> tuple[dict[str, Any], list[Remark]]:
    """Glific's function reads `model`, its documentation says `gpt_model`: authors mean the second."""
    if "gpt_model" not in given:
        return {**given}, []
    gpt_model = given["gpt_model"]
    values = {"gpt_model": str(gpt_model), "model": str(given.get("model", GLIFICS_MODEL))}
    if gpt_model == given.get("model", GLIFICS_MODEL):
        return {**given}, []
    if "model" not in given:
        return {**given}, [Remark(sentences.MODEL_HONOURED, values)]
    return {key: given[key] for key in given if key != "model"}, [Remark(sentences.TWO_MODELS, values)]


def _written(body: dict[str, Any]) -> str:
    return json.dumps(body, indent=2, ensure_ascii=False)
