"""Flows for the simulator's tests, built node by node."""

import json
from typing import Any

from glific_gpt.flows.files import Export

KEYWORD = "ask"


def export(*nodes: dict[str, Any], **more: Any) -> Export:
    """Return a file with one flow that starts at the first node."""
    return export_of(flow(*nodes, **more))


def export_of(*flows: dict[str, Any]) -> Export:
    return {"flows": list(flows), "contact_field": [], "collections": [], "interactive_templates": []}


def flow(*nodes: dict[str, Any], name: str = "A flow", keyword: str = KEYWORD, **more: Any) -> dict[str, Any]:
    """Return a flow that has its name as uuid, with nodes drawn one below the other."""
    drawn = {node["uuid"]: {"position": {"top": 100 * at, "left": 0}} for at, node in enumerate(nodes)}
    known = {"name": name, "uuid": name, "nodes": list(nodes), "_ui": {"nodes": drawn}, "localization": {}}
    return {"definition": known | more, "keywords": [keyword]}


def action_node(uuid: str, *actions: dict[str, Any], then: str | None = None) -> dict[str, Any]:
    return {"uuid": uuid, "actions": list(actions), "exits": [_exit(f"{uuid} out", then)]}


def reply_node(uuid: str, then: str | None = None, *, keep_as: str = "answer", **more: Any) -> dict[str, Any]:
    """Return a node that waits for a message of any kind."""
    return split_node(uuid, {"Other": then}, operand="@input.text", wait={"type": "msg"}, result_name=keep_as, **more)


def split_node(
    uuid: str,
    ways: dict[str, str | None],
    *cases: tuple[str, list[Any], str],
    actions: tuple[dict[str, Any], ...] = (),
    **router: Any,
) -> dict[str, Any]:
    """Return a router with these categories, the last of which is the default. A case is type, arguments, category."""
    known = {
        "type": "switch",
        "operand": "",
        "categories": [{"uuid": f"{uuid} {name}", "name": name, "exit_uuid": f"{uuid} to {name}"} for name in ways],
        "default_category_uuid": f"{uuid} {[*ways][-1]}",
        "cases": [_case(f"{uuid} case {at}", uuid, *case) for at, case in enumerate(cases)],
    }
    exits = [_exit(f"{uuid} to {name}", then) for name, then in ways.items()]
    return {"uuid": uuid, "actions": list(actions), "exits": exits, "router": known | router}


def webhook_node(
    uuid: str, url: str, *, success: str | None = None, failure: str | None = None, **more: Any
) -> dict[str, Any]:
    """Return a webhook node; a body that is not text is written as JSON."""
    body = more.pop("body", {"question_text": "@results.answer.input"})
    known = {
        "method": "POST",
        "url": url,
        "headers": {"Content-Type": "application/json"},
        "body": body if isinstance(body, str) else json.dumps(body),
        "result_name": "gpt",
    }
    action = make_action("call_webhook", f"{uuid} call", **known | more)
    return split_node(uuid, {"Success": success, "Failure": failure}, actions=(action,))


def wait_node(uuid: str, kind: str, delay: str, then: str | None = None) -> dict[str, Any]:
    return split_node(uuid, {"Completed": then}, actions=(make_action(kind, delay=delay),), operand="@input.text")


def send_message(text: str, uuid: str = "") -> dict[str, Any]:
    return make_action("send_msg", uuid, text=text)


def set_result(name: str, value: str) -> dict[str, Any]:
    return make_action("set_run_result", name=name, value=value, category="")


def make_action(kind: str, uuid: str = "", /, **fields: Any) -> dict[str, Any]:
    return {"type": kind, "uuid": uuid or f"{kind} {fields}", **fields}


def _exit(uuid: str, then: str | None) -> dict[str, Any]:
    return {"uuid": uuid, "destination_uuid": then}


def _case(uuid: str, node: str, kind: str, arguments: list[Any], category: str) -> dict[str, Any]:
    return {"uuid": uuid, "type": kind, "arguments": arguments, "category_uuid": f"{node} {category}"}
