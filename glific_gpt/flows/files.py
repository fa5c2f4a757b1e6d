"""Flow files: parse an export of Glific, and write one so that a diff shows the changes only."""

import json
import math
import re
from typing import Any, NoReturn, TypeAlias

from glific_gpt.errors import N_, InvalidFlowExport
from glific_gpt.flows.patching import format_json, patch_json
from glific_gpt.flows.structure import JsonObject, as_object, as_string, object_items

MAX_DEPTH = 100
"""Levels of objects and lists. A flow has about ten, and every reader in this package may recurse."""
# A number that could exceed a float: an exponent of three digits, or over 307 digits. Digits are counted from the
# first one only: from each of them, it would take seconds for a file full of digits.
_MAY_BE_TOO_LARGE = re.compile(r"\d[eE]\+?\d{3}|(?<!\d)\d{308}")


class StrictJsonError(ValueError):
    """The text is not JSON as Elixir reads it."""


class TooDeeplyNested(StrictJsonError):
    """The JSON has more than MAX_DEPTH levels."""


class NumberTooLarge(StrictJsonError):
    """A number in the JSON exceeds a float, or has thousands of digits."""


def parse_json(text: str) -> Any:
    """Parse JSON as Elixir does: no NaN, no number beyond a float. Objects keep the order of their keys.

    Raises StrictJsonError.
    """
    # A Python callback for each number is slow, and hardly a file needs one.
    parse_float = _parse_finite_float if _MAY_BE_TOO_LARGE.search(text) else None
    try:
        value = json.loads(text, parse_float=parse_float, parse_constant=_refuse_constant)
    except RecursionError:
        raise TooDeeplyNested from None
    except (json.JSONDecodeError, StrictJsonError) as error:
        raise (error if isinstance(error, StrictJsonError) else StrictJsonError()) from None
    except ValueError:  # Python refuses integers of thousands of digits
        raise NumberTooLarge from None
    _check_depth(value)
    return value


def _check_depth(value: Any) -> None:
    # Level by level: a recursive check could itself exceed the recursion limit.
    depth, level = 0, [value]
    while level := [item for item in level if isinstance(item, dict | list)]:
        depth += 1
        if depth > MAX_DEPTH:
            raise TooDeeplyNested
        level = [child for item in level for child in (item.values() if isinstance(item, dict) else item)]


def _parse_finite_float(number: str) -> float:
    if not math.isfinite(value := float(number)):
        raise NumberTooLarge
    return value


def _refuse_constant(_name: str) -> NoReturn:
    """Refuse NaN and Infinity, which Python's parser accepts."""
    raise StrictJsonError


Export: TypeAlias = JsonObject
"""`{"flows": [{"definition": {...}, "keywords": [...]}], "contact_field": [], "collections": [],
"interactive_templates": []}`, its keys in any order."""

MAX_STEPS = 10_000
"""The most nodes, and the most actions, in all flows of a file. Large flows have some hundreds."""
BYTE_ORDER_MARK = "\ufeff"
"""Some editors write it at the beginning of a UTF-8 file."""

NOT_JSON = N_("This file is not JSON, or it is incomplete. Export the flow again in Glific.")
NOT_UTF_8 = N_("This file is not saved as UTF-8. Export the flow again in Glific, or save the file as UTF-8.")
TOO_DEEP = N_("This file is not a flow: it is nested too deeply. Choose the .json file from Flows > Export.")
NUMBER_TOO_LARGE = N_("A number in this file is too large. Make it smaller in Glific, and export the flow again.")
NO_FLOWS = N_('This file has no "flows". Choose the .json file from Flows > Export.')
NO_NODES = N_("A flow in this file has no definition with nodes. Export the flow again in Glific.")
TOO_MANY_STEPS = N_(
    "The flows in this file have more than 10,000 nodes or actions together. Split them, and export one at a time."
)


def parse_export(text: str | bytes) -> Export:
    """Parse an exported file; objects keep the order of their keys.

    Raises InvalidFlowExport if the text is not JSON, has no flows, has a flow without nodes, or has more than
    `MAX_STEPS` steps. `rules.find_violations` reports everything else that may be wrong.
    """
    export = _parse_file(text)
    flows = export.get("flows") if isinstance(export, dict) else None
    if not isinstance(flows, list) or not flows:
        raise InvalidFlowExport(NO_FLOWS)
    if not all(_has_nodes(flow) for flow in flows):
        raise InvalidFlowExport(NO_NODES)
    if _count_steps(flows) > MAX_STEPS:
        raise InvalidFlowExport(TOO_MANY_STEPS)
    return {**export}


def format_export(export: Export, original: str | bytes | None = None, parsed_original: Export | None = None) -> str:
    """Return the export as the text of a file that ends with a newline.

    With `original`, a file that `parse_export` accepts, only the changed values are written. All other characters are
    unchanged, including the end of the file, and new values get the file's indentation. Without it, indent by two
    spaces. `parsed_original` saves parsing the original a second time.
    """
    if original is None:
        return format_json(export) + "\n"
    text = _decode(original)
    without_mark = text.removeprefix(BYTE_ORDER_MARK)
    before = parse_export(original) if parsed_original is None else parsed_original
    return text[: len(text) - len(without_mark)] + patch_json(without_mark, before, export)


def _parse_file(text: str | bytes) -> Any:
    try:
        return parse_json(_decode(text).removeprefix(BYTE_ORDER_MARK))
    except UnicodeDecodeError:
        raise InvalidFlowExport(NOT_UTF_8) from None
    except TooDeeplyNested:
        raise InvalidFlowExport(TOO_DEEP) from None
    except NumberTooLarge:
        raise InvalidFlowExport(NUMBER_TOO_LARGE) from None
    except StrictJsonError:
        raise InvalidFlowExport(NOT_JSON) from None


def _decode(text: str | bytes) -> str:
    """Decode UTF-8. Raises UnicodeDecodeError."""
    return text.decode() if isinstance(text, bytes) else text


def _count_steps(flows: list[JsonObject]) -> int:
    nodes = [node for flow in flows for node in flow["definition"]["nodes"]]
    actions = [node["actions"] for node in object_items(nodes) if isinstance(node.get("actions"), list)]
    return max(len(nodes), sum(map(len, actions)))


def _has_nodes(flow: Any) -> bool:
    definition = flow.get("definition") if isinstance(flow, dict) else None
    return isinstance(definition, dict) and isinstance(definition.get("nodes"), list)


def parse_body(action: JsonObject) -> JsonObject:
    """Return the body of a webhook; an empty object if it is not one."""
    try:
        return as_object(parse_json(as_string(action.get("body"))))
    except StrictJsonError:
        return {}
