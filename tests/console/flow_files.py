"""Flows as files: what is in one that was downloaded, and one as an NGO has it that asks Glific's own function."""

import json
from typing import Any

import httpx2
from pydantic import SecretStr

from glific_gpt.flows import files
from glific_gpt.flows.building import FlowSpec, Mode, build_flow
from glific_gpt.flows.endpoint import WebhookEndpoint

PAGE = "/console/organizations/alice/use-in-glific"
NOBODY = WebhookEndpoint("https://gpt.example.org", SecretStr("nothing"))


def webhooks(export: dict[str, Any]) -> list[dict[str, Any]]:
    """The actions that call something, in all flows."""
    return [
        action
        for flow in export["flows"]
        for node in flow["definition"]["nodes"]
        for action in node["actions"]
        if action["type"] == "call_webhook"
    ]


def downloaded(answer: httpx2.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text[:2000]
    assert answer.headers["Content-Disposition"].startswith("attachment; filename="), answer.text[:2000]
    return files.parse_export(answer.content)


def old_flow(function: str = "parse_via_chat_gpt", *, padding: int = 0) -> bytes:
    """An export whose webhook node calls that function of Glific's own; as large as is wished for."""
    export = build_flow(FlowSpec(Mode.SYNC, "Farmers' helpline", "farm", NOBODY, "gpt-4o-mini"))
    (webhook,) = webhooks(export)
    webhook |= {"method": "FUNCTION", "url": function, "headers": {"Accept": "application/json"}}
    export["flows"][0]["definition"]["padding"] = "x" * padding
    return json.dumps(export).encode()
