"""Builders for exports of Glific: each node type, with uuids derived from names."""

import json
from typing import Any
from uuid import NAMESPACE_URL, uuid5

Json = dict[str, Any]
Category = tuple[str, str | None, Json | None]
"""A category, the node that it leads to, and its case; the default category has none."""

BODY = '{\n  "question_text": "@results.question",\n  "gpt_model": "gpt-4o",\n  "prompt": "उत्तर छोटा हो।"\n}'
CASES: Json = {"config": {"cases": {}}}


def uuid_of(name: str) -> str:
    return str(uuid5(NAMESPACE_URL, name))


def action_node(name: str, *actions: Json, to: str | None) -> Json:
    """Return a node without a router."""
    own = [{"uuid": uuid_of(f"{name} action {at}"), **action} for at, action in enumerate(actions)]
    return {"uuid": uuid_of(name), "actions": own, "exits": [_exit(name, 0, to)]}


def message_node(name: str, text: str, to: str | None) -> Json:
    return action_node(
        name, {"type": "send_msg", "text": text, "attachments": [], "labels": [], "quick_replies": []}, to=to
    )


def router_node(
    name: str, *ways: tuple[str, str | None, Json | None], actions: tuple[Json, ...] = (), **router: Any
) -> Json:
    """Return a node with a router; `router` adds or overrides its keys."""
    exits = [_exit(name, at, to) for at, (_, to, _) in enumerate(ways)]
    categories = [
        {"uuid": uuid_of(f"{name} {category}"), "name": category, "exit_uuid": exits[at]["uuid"]}
        for at, (category, _, _) in enumerate(ways)
    ]
    cases = [
        {
            "uuid": uuid_of(f"{name} case {category}"),
            "category_uuid": uuid_of(f"{name} {category}"),
            "arguments": [],
            **case,
        }
        for category, _, case in ways
        if case is not None
    ]
    default = next((uuid_of(f"{name} {category}") for category, _, case in ways if case is None), None)
    exported = {"type": "switch", "operand": "@input.text", "cases": cases, "categories": categories, **router}
    if default is not None:
        exported["default_category_uuid"] = default
    return {**action_node(name, *actions, to=None), "exits": exits, "router": exported}


def reply_node(name: str, result_name: str, to: str | None) -> Json:
    return router_node(name, ("All Responses", to, None), wait={"type": "msg"}, result_name=result_name)


def webhook_node(name: str, success: str | None, failure: str | None, **webhook: Any) -> Json:
    """Return a webhook node, by default one that calls Glific's own GPT function."""
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
    return router_node(
        name, ("Success", success, succeeded), ("Failure", failure, None), actions=(action,), operand=operand
    )


def flow(name: str, nodes: list[Json], *keywords: str, **definition: Any) -> Json:
    """Return a flow of a file, its nodes drawn one below the other."""
    drawn = {node["uuid"]: _drawn(node, 60 + at * 360) for at, node in enumerate(nodes)}
    return {
        "definition": {
            "name": name,
            "uuid": uuid_of(f"flow {name}"),
            "type": "messaging",
            "spec_version": "13.2.0",
            "language": "base",
            "localization": {},
            "expire_after_minutes": 10080,
            "vars": [uuid_of(f"flow {name}")],
            "nodes": nodes,
            "_ui": {"nodes": drawn, "stickies": {}},
            **definition,
        },
        "keywords": list(keywords),
    }


def export(*flows: Json) -> Json:
    return {"flows": list(flows), "contact_field": [], "collections": [], "interactive_templates": []}


def question_export(**webhook: Any) -> Json:
    """Return a minimal flow with a GPT node: ask, wait for a reply, call, send the answer."""
    nodes = [
        message_node("ask", "What would you like to know?", "hear"),
        reply_node("hear", "question", "gpt"),
        webhook_node("gpt", "answer", "sorry", **webhook),
        message_node("answer", "@results.gpt_response.parsed_msg", None),
        message_node("sorry", "GPT api failed", None),
    ]
    return export(flow("Ask", nodes, "ask"))


def action_of(exported: Json, name: str) -> Json:
    """Return the first action of the node."""
    value: Json = node_of(exported, name)["actions"][0]
    return value


def node_of(exported: Json, name: str) -> Json:
    nodes = [node for one in exported["flows"] for node in one["definition"]["nodes"]]
    return next(node for node in nodes if node["uuid"] == uuid_of(name))


def to_file_text(exported: Json) -> str:
    """Format an export with four spaces, as Glific does."""
    return json.dumps(exported, indent=4, ensure_ascii=False)


def _exit(name: str, at: int, to: str | None) -> Json:
    return {"uuid": uuid_of(f"{name} exit {at}"), "destination_uuid": uuid_of(to) if to else None}


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
