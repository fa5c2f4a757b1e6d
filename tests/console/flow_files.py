"""Flow files: parse a download, and export a flow that calls Glific's own function."""

import json
from typing import Any

import httpx2
from pydantic import SecretStr

from glific_gpt.flows import files
from glific_gpt.flows.building import FlowSpec, Mode, build_flow
from glific_gpt.flows.endpoint import WebhookEndpoint

PAGE = "/console/organizations/alice/use-in-glific"
CONVERT, CHECK, BY_HAND, TOKENS = (f"{PAGE}/{tab}" for tab in ("convert", "check", "by-hand", "tokens"))
UNUSED_ENDPOINT = WebhookEndpoint("https://gpt.example.org", SecretStr("nothing"))


def find_webhook_actions(export: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the webhook actions of all flows."""
    return [
        action
        for flow in export["flows"]
        for node in flow["definition"]["nodes"]
        for action in node["actions"]
        if action["type"] == "call_webhook"
    ]


def parse_download(answer: httpx2.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text[:2000]
    assert answer.headers["Content-Disposition"].startswith("attachment; filename="), answer.text[:2000]
    return files.parse_export(answer.content)


def export_old_flow(function: str = "parse_via_chat_gpt", *, padding: int = 0) -> bytes:
    """Return an export with a webhook node that calls a function of Glific. `padding` makes it larger, in bytes."""
    export = build_flow(FlowSpec(Mode.SYNC, "Farmers' helpline", "farm", UNUSED_ENDPOINT, "gpt-4o-mini"))
    (webhook,) = find_webhook_actions(export)
    webhook |= {"method": "FUNCTION", "url": function, "headers": {"Accept": "application/json"}}
    export["flows"][0]["definition"]["padding"] = "x" * padding
    return json.dumps(export).encode()
