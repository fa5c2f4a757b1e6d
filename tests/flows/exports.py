"""Flows as Glific exports them, made by hand: each kind of node, with uuids that tell their names."""

import json
from typing import Any
from uuid import NAMESPACE_URL, uuid5

Json = dict[str, Any]
Way = tuple[str, str | None, Json | None]
"""A category, the node that it leads to, and the test for it, which the default has not."""

BODY = '{\n  "question_text": "@results.question",\n  "gpt_model": "gpt-4o",\n  "prompt": "उत्तर छोटा हो।"\n}'
CASES: Json = {"config": {"cases": {}}}


def uid(name: str) -> str:
    return str(uuid5(NAMESPACE_URL, name))


def acts(name: str, *actions: Json, to: str | None) -> Json:
    """A node without a router."""
    own = [{"uuid": uid(f"{name} action {at}"), **action} for at, action in enumerate(actions)]
    return {"uuid": uid(name), "actions": own, "exits": [_exit(name, 0, to)]}


def says(name: str, text: str, to: str | None) -> Json:
    return acts(name, {"type": "send_msg", "text": text, "attachments": [], "labels": [], "quick_replies": []}, to=to)


def routes(
    name: str, *ways: tuple[str, str | None, Json | None], actions: tuple[Json, ...] = (), **router: Any
) -> Json:
    """A node with a router. More can be said about the router by its keys."""
    exits = [_exit(name, at, to) for at, (_, to, _) in enumerate(ways)]
    categories = [
        {"uuid": uid(f"{name} {category}"), "name": category, "exit_uuid": exits[at]["uuid"]}
        for at, (category, _, _) in enumerate(ways)
    ]
    cases = [
        {"uuid": uid(f"{name} case {category}"), "category_uuid": uid(f"{name} {category}"), "arguments": [], **case}
        for category, _, case in ways
        if case is not None
    ]
    default = next((uid(f"{name} {category}") for category, _, case in ways if case is None), None)
    whole = {"type": "switch", "operand": "@input.text", "cases": cases, "categories": categories, **router}
    if default is not None:
        whole["default_category_uuid"] = default
    return {**acts(name, *actions, to=None), "exits": exits, "router": whole}


def hears(name: str, result_name: str, to: str | None) -> Json:
    return routes(name, ("All Responses", to, None), wait={"type": "msg"}, result_name=result_name)


def calls(name: str, success: str | None, failure: str | None, **webhook: Any) -> Json:
    """A webhook node; without more it is the GPT node that Glific has built in."""
    action: Json = {
        "type": "call_webhook",
        "url": "parse_via_chat_gpt",
        "method": "FUNCTION",
        "headers": {"Content-Type": "application/json", "Accept": "application/json"},
        "body": BODY,
        "result_name": "gpt_response",
        **webhook,
    }
    succeeded = {"type": "has_only_text", "arguments": ["Success"]}
    operand = f"@results.{action['result_name']}.category"
    return routes(name, ("Success", success, succeeded), ("Failure", failure, None), actions=(action,), operand=operand)


def flow(name: str, nodes: list[Json], *keywords: str, **definition: Any) -> Json:
    """One flow of a file, its nodes drawn one below the other."""
    drawn = {node["uuid"]: _drawn(node, 60 + at * 360) for at, node in enumerate(nodes)}
    return {
        "definition": {
            "name": name,
            "uuid": uid(f"flow {name}"),
            "type": "messaging",
            "spec_version": "13.2.0",
            "language": "base",
            "localization": {},
            "expire_after_minutes": 10080,
            "vars": [uid(f"flow {name}")],
            "nodes": nodes,
            "_ui": {"nodes": drawn, "stickies": {}},
            **definition,
        },
        "keywords": list(keywords),
    }


def export(*flows: Json) -> Json:
    return {"flows": list(flows), "contact_field": [], "collections": [], "interactive_templates": []}


def asking(**webhook: Any) -> Json:
    """The smallest flow with a GPT node: it asks, hears, calls and says, once."""
    nodes = [
        says("ask", "What would you like to know?", "hear"),
        hears("hear", "question", "gpt"),
        calls("gpt", "answer", "sorry", **webhook),
        says("answer", "@results.gpt_response.parsed_msg", None),
        says("sorry", "GPT api failed", None),
    ]
    return export(flow("Ask", nodes, "ask"))


def action_of(whole: Json, name: str) -> Json:
    """The first action of the node."""
    found: Json = node_of(whole, name)["actions"][0]
    return found


def node_of(whole: Json, name: str) -> Json:
    nodes = [node for one in whole["flows"] for node in one["definition"]["nodes"]]
    return next(node for node in nodes if node["uuid"] == uid(name))


def as_file(whole: Json) -> str:
    """With Glific's four spaces."""
    return json.dumps(whole, indent=4, ensure_ascii=False)


def _exit(name: str, at: int, to: str | None) -> Json:
    return {"uuid": uid(f"{name} exit {at}"), "destination_uuid": uid(to) if to else None}


KINDS = {
    "call_webhook": "split_by_webhook",
    "link_google_sheet": "split_by_webhook",
    "enter_flow": "split_by_subflow",
    "open_ticket": "split_by_ticket",
    "call_classifier": "split_by_intent",
    "wait_for_time": "wait_for_time",
    "wait_for_result": "wait_for_result",
}


def _drawn(node: Json, top: int) -> Json:
    position = {"left": 100, "top": top}
    router, first = node.get("router"), (node["actions"] or [{"type": ""}])[0]["type"]
    if router is None:
        return {"type": "execute_actions", "position": position}
    if first in KINDS:
        return {"type": KINDS[first], "position": position, "config": {}}
    if "wait" in router:
        return {"type": "wait_for_response", "position": position, **CASES}
    if router["type"] == "random":
        return {"type": "split_by_random", "position": position, "config": None}
    kind = "split_by_groups" if router["operand"] == "@contact.groups" else "split_by_expression"
    return {"type": kind, "position": position, **CASES}
