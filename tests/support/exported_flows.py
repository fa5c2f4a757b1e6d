"""Small flow exports as Glific creates them, with webhook nodes that call Glific's own functions."""

import json
from typing import Any


def function_node(result: str, url: str = "parse_via_chat_gpt") -> dict[str, Any]:
    """Return a webhook node as in flow exports, with its exits for success and failure."""
    ids = {name: f"00000000-0000-4000-8000-{abs(hash((result, name))) % 10**12:012d}" for name in "nasfSFc"}
    action: dict[str, Any] = {
        "uuid": ids["a"],
        "type": "call_webhook",
        "url": url,
        "method": "FUNCTION",
        "result_name": result,
    }
    action |= {"headers": {}, "body": '{"question_text": "@results.question.input"}'}
    return {
        "uuid": ids["n"],
        "actions": [action],
        "exits": [{"uuid": ids["s"], "destination_uuid": None}, {"uuid": ids["f"], "destination_uuid": None}],
        "router": {
            "type": "switch",
            "operand": f"@results.{result}.category",
            "cases": [{"uuid": ids["c"], "type": "has_only_text", "arguments": ["Success"], "category_uuid": ids["S"]}],
            "categories": [
                {"uuid": ids["S"], "name": "Success", "exit_uuid": ids["s"]},
                {"uuid": ids["F"], "name": "Failure", "exit_uuid": ids["f"]},
            ],
            "default_category_uuid": ids["F"],
        },
    }


def export_flows(*nodes: dict[str, Any], name: str = "Menu") -> str:
    layout = {
        node["uuid"]: {"type": "split_by_webhook", "position": {"left": 0, "top": 200 * at}}
        for at, node in enumerate(nodes)
    }
    definition = {
        "name": name,
        "uuid": "11111111-1111-4111-8111-111111111111",
        "nodes": list(nodes),
        "localization": {},
        "_ui": {"nodes": layout, "stickies": {}},
    }
    flows = [{"definition": definition, "keywords": ["menu"]}]
    return json.dumps({"flows": flows, "contact_field": [], "collections": [], "interactive_templates": []}, indent=4)
