"""Rules of a router: its categories, exits and cases must match (glific/glific: Flows.Router, Category, Case)."""

from collections.abc import Iterator
from typing import Any

from glific_gpt.flows.structure import (
    JsonObject,
    as_object,
    as_string,
    describe_missing_keys,
    is_list_of,
    object_items,
    string_items,
)

MIN_ARGUMENTS = {
    **dict.fromkeys(("has_only_text", "has_only_phrase", "has_phrase", "has_beginning", "has_pattern"), 1),
    **dict.fromkeys(("has_any_word", "has_all_words", "has_multiple"), 1),
    **dict.fromkeys(("has_number_eq", "has_number_lt", "has_number_lte", "has_number_gt", "has_number_gte"), 1),
    **dict.fromkeys(("has_date_eq", "has_date_lt", "has_date_gt", "has_intent", "has_top_intent", "has_group"), 1),
    "has_number_between": 2,
    **dict.fromkeys(("has_text", "has_value", "has_number", "has_phone", "has_email", "has_date", "has_time"), 0),
    **dict.fromkeys(("has_category", "has_error", "has_run_status", "has_state", "has_district", "has_ward"), 0),
    **dict.fromkeys(("has_location", "has_media", "has_audio", "has_image", "has_video", "has_file"), 0),
}
"""The types of cases in Glific or its editor, with the number of arguments below which they fail."""


def check_router(router: Any, node: JsonObject) -> Iterator[str]:
    """Yield sentences about the router of a node."""
    if not isinstance(router, dict) or router.get("type") not in ("switch", "random"):
        yield "its router is neither switch nor random."
        return
    if not is_list_of(router.get("categories"), dict) or not router["categories"]:
        yield "its router's categories are not a list of categories."
    exits = {as_string(node_exit.get("uuid")) for node_exit in object_items(node.get("exits"))}
    for category in object_items(router.get("categories")):
        yield from describe_missing_keys("a category", category, "name", "uuid", "exit_uuid")
        if as_string(category.get("exit_uuid")) not in exits:
            yield f'its category "{as_string(category.get("name"))}" leads to an exit that the node does not have.'
    if router["type"] == "switch":
        yield from _check_switch(router)


def _check_switch(router: JsonObject) -> Iterator[str]:
    categories = {as_string(category.get("uuid")) for category in object_items(router.get("categories"))}
    if not isinstance(router.get("operand"), str):
        yield "its router has no operand."
    if as_string(router.get("default_category_uuid")) not in categories:
        yield "its router's default category is not one of its categories."
    if not is_list_of(router.get("cases"), dict):
        yield "its router's cases are not a list of cases."
    for case in object_items(router.get("cases")):
        yield from _check_case(case, categories)
    yield from _check_wait(router)


def _check_case(case: JsonObject, categories: set[str]) -> Iterator[str]:
    yield from describe_missing_keys("a case", case, "uuid", "type", "arguments", "category_uuid")
    kind = as_string(case.get("type"))
    if as_string(case.get("category_uuid")) not in categories:
        yield f"its case {kind} leads to none of its categories."
    if kind not in MIN_ARGUMENTS:
        yield f'its case has the type "{kind}", which Glific does not know.'
    elif len(string_items(case.get("arguments"))) < MIN_ARGUMENTS[kind]:
        yield f"its case {kind} has too few arguments."


def _check_wait(router: JsonObject) -> Iterator[str]:
    if router.get("wait") is None:
        return
    wait = as_object(router["wait"])
    yield from describe_missing_keys("its wait", wait, "type")
    names = {as_string(category.get("name")) for category in object_items(router.get("categories"))}
    if wait.get("timeout") is not None and "No Response" not in names:
        yield 'its wait has a time-out, but there is no category "No Response".'
