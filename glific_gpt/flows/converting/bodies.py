"""The body of a GPT node, with what this server needs besides."""

import json
from dataclasses import dataclass, field
from typing import Any

from glific_gpt.flows.converting import report
from glific_gpt.flows.converting.report import Remark
from glific_gpt.flows.files import NotStrict, decoded
from glific_gpt.flows.structure import text

FROM_GLIFIC = {"contact": "@contact", "results": "@results", "flow_id": "@flow.id"}
GLIFICS_MODEL = "gpt-4o"
"""What Glific's own function asks when the body has no `model`."""


_OWN = {"contact": report.OWN_CONTACT, "results": report.OWN_RESULTS, "flow_id": report.OWN_FLOW_ID}


class NotAnObject(Exception):
    """The body is not a JSON object: Glific itself cannot send it."""


@dataclass(frozen=True)
class Adapted:
    """A body for this server."""

    text: str
    """The author's own, if it lacks nothing."""
    model: str = ""
    """The one that it names, if it names one and no variable."""
    remarks: list[Remark] = field(default_factory=list)
    """What to mind."""


def adapted(body: Any) -> Adapted:
    """Raises NotAnObject."""
    if body is None or body == "":
        return Adapted(_written({**FROM_GLIFIC, "question_text": ""}), remarks=[Remark(report.NO_BODY)])
    given = _object(body)
    wanted, remarks = _with_one_model(given)
    remarks += [Remark(_OWN[key]) for key, value in FROM_GLIFIC.items() if wanted.setdefault(key, value) != value]
    if "question_text" not in wanted:
        remarks.append(Remark(report.NO_QUESTION))
    model = _model(wanted, "gpt_model") or _model(wanted, "model")
    return Adapted(body if wanted == given else _written(wanted), "" if "@" in model else model, remarks)


def _model(given: dict[str, Any], key: str) -> str:
    """As good as not there is what is null or blank, here and where calls are answered."""
    return text(given.get(key)).strip()


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
    gpt_model, model = _model(given, "gpt_model"), _model(given, "model")
    if not gpt_model or gpt_model.lower() == (model or GLIFICS_MODEL).lower():
        return {**given}, []
    values = {"gpt_model": gpt_model, "model": model}
    if not model:
        return {**given}, [Remark(report.MODEL_HONOURED, values)]
    return {key: given[key] for key in given if key != "model"}, [Remark(report.TWO_MODELS, values)]


def _written(body: dict[str, Any]) -> str:
    return json.dumps(body, indent=2, ensure_ascii=False)
