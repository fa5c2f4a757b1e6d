"""The actions of a node, as Glific's export writes them (glific/glific: Flows.Action)."""

import json
from typing import Any, TypeAlias
from uuid import uuid4

Action: TypeAlias = dict[str, Any]


def send(text: str) -> Action:
    return _action("send_msg", text=text, labels=[], attachments=[], quick_replies=[])


def set_result(name: str, value: str) -> Action:
    return _action("set_run_result", name=name, value=value, category="")


def post(url: str, headers: dict[str, str], body: dict[str, Any], *, keep_as: str) -> Action:
    """A webhook. Its body is a text in which Glific fills the variables."""
    text = json.dumps(body, indent=2, ensure_ascii=False)
    return _action("call_webhook", method="POST", url=url, headers=headers, body=text, result_name=keep_as)


def await_result(seconds: int) -> Action:
    """Waits until the flow is resumed, or the time is over. Glific reads the seconds as a text."""
    return _action("wait_for_result", delay=str(seconds))


def _action(kind: str, **fields: Any) -> Action:
    return {"type": kind, "uuid": str(uuid4()), **fields}
