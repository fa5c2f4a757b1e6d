"""Rules of a router: categories, exits and tests that fit together (glific/glific: Flows.Router, Category, Case)."""

from collections.abc import Iterator
from typing import Any

from glific_gpt.flows.structure import Thing, has_only, lacking, text, texts, thing, things

ARGUMENTS = {
    **dict.fromkeys(("has_only_text", "has_only_phrase", "has_phrase", "has_beginning", "has_pattern"), 1),
    **dict.fromkeys(("has_any_word", "has_all_words", "has_multiple"), 1),
    **dict.fromkeys(("has_number_eq", "has_number_lt", "has_number_lte", "has_number_gt", "has_number_gte"), 1),
    **dict.fromkeys(("has_date_eq", "has_date_lt", "has_date_gt", "has_intent", "has_top_intent", "has_group"), 1),
    "has_number_between": 2,
    **dict.fromkeys(("has_text", "has_value", "has_number", "has_phone", "has_email", "has_date", "has_time"), 0),
    **dict.fromkeys(("has_category", "has_error", "has_run_status", "has_state", "has_district", "has_ward"), 0),
    **dict.fromkeys(("has_location", "has_media", "has_audio", "has_image", "has_video", "has_file"), 0),
}
"""The tests that Glific or its editor knows, and the arguments without which they fail."""


def broken_in_router(router: Any, node: Thing) -> Iterator[str]:
    if not isinstance(router, dict) or router.get("type") not in ("switch", "random"):
        yield "its router is neither switch nor random."
        return
    if not has_only(router.get("categories"), dict) or not router["categories"]:
        yield "its router's categories are not a list of categories."
    exits = {text(out.get("uuid")) for out in things(node.get("exits"))}
    for category in things(router.get("categories")):
        yield from lacking("a category", category, "name", "uuid", "exit_uuid")
        if text(category.get("exit_uuid")) not in exits:
            yield f'its category "{text(category.get("name"))}" leaves by an exit that it does not have.'
    if router["type"] == "switch":
        yield from _broken_switch(router)


def _broken_switch(router: Thing) -> Iterator[str]:
    categories = {text(category.get("uuid")) for category in things(router.get("categories"))}
    if not isinstance(router.get("operand"), str):
        yield "its router has no operand."
    if text(router.get("default_category_uuid")) not in categories:
        yield "its router's default category is none of its categories."
    if not has_only(router.get("cases"), dict):
        yield "its router's cases are not a list of cases."
    for case in things(router.get("cases")):
        yield from _broken_case(case, categories)
    yield from _broken_wait(router)


def _broken_case(case: Thing, categories: set[str]) -> Iterator[str]:
    yield from lacking("a case", case, "uuid", "type", "arguments", "category_uuid")
    kind = text(case.get("type"))
    if text(case.get("category_uuid")) not in categories:
        yield f"its case {kind} leads to none of its categories."
    if kind not in ARGUMENTS:
        yield f'its case is of the type "{kind}", which Glific does not know.'
    elif len(texts(case.get("arguments"))) < ARGUMENTS[kind]:
        yield f"its case {kind} has too few arguments."


def _broken_wait(router: Thing) -> Iterator[str]:
    if router.get("wait") is None:
        return
    wait = thing(router["wait"])
    yield from lacking("its wait", wait, "type")
    names = {text(category.get("name")) for category in things(router.get("categories"))}
    if wait.get("timeout") is not None and "No Response" not in names:
        yield 'it stops waiting after a time, and has no category "No Response" to go on by.'
