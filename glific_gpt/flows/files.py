"""JSON as Elixir reads it: no NaN, no number beyond a float; and nothing so deep that it could be no flow."""

import json
import math
import re
from typing import Any, NoReturn, TypeAlias

from glific_gpt.errors import N_, NotAFlowExport
from glific_gpt.flows.patching import dumped, spliced
from glific_gpt.flows.structure import Thing, things

DEEPEST = 100
"""Levels of objects and lists. A flow has about ten, and every reader here may recurse."""
_MAY_BE_TOO_LARGE = re.compile(r"\d[eE]\+?\d{3}|\d{308}")


class NotStrict(ValueError):
    """The text is not JSON."""


class TooDeep(NotStrict):
    """It has more levels than any flow."""


class TooLarge(NotStrict):
    """A number in it is larger than anybody reads."""


def decoded(text: str) -> Any:
    """What the text holds, the keys of its objects in their order. Raises NotStrict."""
    # A function for each number takes its time, and hardly a file has one that needs it.
    check = _finite if _MAY_BE_TOO_LARGE.search(text) else None
    try:
        value = json.loads(text, parse_float=check, parse_constant=_refuse)
    except RecursionError:
        raise TooDeep from None
    except (json.JSONDecodeError, NotStrict) as error:
        raise (error if isinstance(error, NotStrict) else NotStrict()) from None
    except ValueError:  # of an integer of thousands of digits
        raise TooLarge from None
    _check_depth(value)
    return value


def _check_depth(value: Any) -> None:
    depth, level = 0, [value]
    while level := [thing for thing in level if isinstance(thing, dict | list)]:
        depth += 1
        if depth > DEEPEST:
            raise TooDeep
        level = [child for thing in level for child in (thing.values() if isinstance(thing, dict) else thing)]


def _finite(number: str) -> float:
    if not math.isfinite(found := float(number)):
        raise TooLarge
    return found


def _refuse(_number: str) -> NoReturn:
    raise NotStrict


Export: TypeAlias = dict[str, Any]
"""`{"flows": [{"definition": {...}, "keywords": [...]}], "contact_field": [], "collections": [],
"interactive_templates": []}`, its keys in any order."""

MOST_STEPS = 10_000
"""Of nodes, and of actions in nodes, in all flows of a file. Large flows have some hundreds."""
MARK = "\ufeff"
"""Of UTF-8, which some editors put before a file."""

NOT_JSON = N_("This file is not JSON, or it is cut off: export the flow once more in Glific.")
NOT_UTF_8 = N_("This file is not saved as UTF-8: export the flow once more in Glific, or save it as UTF-8.")
TOO_DEEP = N_("This file is nested deeper than any flow: choose the .json file of Flows > Export.")
NUMBER_TOO_LARGE = N_("A number in this file is larger than can be read: make it smaller in Glific, and export again.")
NO_FLOWS = N_('This file has no "flows": choose the .json file of Flows > Export.')
NO_NODES = N_("A flow in this file has no definition with nodes: export the flow once more in Glific.")
TOO_MANY_STEPS = N_(
    "The flows in this file have more than 10,000 nodes or actions together: split them, and export one at a time."
)


def read(text: str | bytes) -> Export:
    """The export in a file, its keys in their order.

    Raises NotAFlowExport for what is not JSON, has no flows, has a flow without nodes, or more than `MOST_STEPS`.
    Anything else about it may still be wrong: that is what `rules.broken` is for.
    """
    export = _decoded(text)
    flows = export.get("flows") if isinstance(export, dict) else None
    if not isinstance(flows, list) or not flows:
        raise NotAFlowExport(NO_FLOWS)
    if not all(_has_nodes(flow) for flow in flows):
        raise NotAFlowExport(NO_NODES)
    if _steps(flows) > MOST_STEPS:
        raise NotAFlowExport(TOO_MANY_STEPS)
    return {**export}


def written(export: Export, like: str | bytes | None = None, given: Export | None = None) -> str:
    """The export as a file that ends with a newline.

    With `like`, a file that `read` has taken: every character of it where the two say the same, its end too, and its
    indentation where they differ. Without it: indented by two spaces. `given` is what `read` gave for that file,
    which need not be read a second time then.
    """
    if like is None:
        return dumped(export) + "\n"
    text = _text(like)
    plain = text.removeprefix(MARK)
    return text[: len(text) - len(plain)] + spliced(plain, export, read(text) if given is None else given)


def _decoded(text: str | bytes) -> Any:
    try:
        return decoded(_text(text).removeprefix(MARK))
    except UnicodeDecodeError:
        raise NotAFlowExport(NOT_UTF_8) from None
    except TooDeep:
        raise NotAFlowExport(TOO_DEEP) from None
    except TooLarge:
        raise NotAFlowExport(NUMBER_TOO_LARGE) from None
    except NotStrict:
        raise NotAFlowExport(NOT_JSON) from None


def _text(text: str | bytes) -> str:
    """Raises UnicodeDecodeError."""
    return text.decode() if isinstance(text, bytes) else text


def _steps(flows: list[Thing]) -> int:
    nodes = [node for flow in flows for node in flow["definition"]["nodes"]]
    return max(len(nodes), sum(len(node["actions"]) for node in things(nodes) if isinstance(node.get("actions"), list)))


def _has_nodes(flow: Any) -> bool:
    definition = flow.get("definition") if isinstance(flow, dict) else None
    return isinstance(definition, dict) and isinstance(definition.get("nodes"), list)
