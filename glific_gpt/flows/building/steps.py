"""Steps of a flow and their actions, as Glific's export writes them (glific/glific: Flows.Action)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias
from uuid import uuid4

Action: TypeAlias = dict[str, Any]


def send_message(text: str) -> Action:
    return _action("send_msg", text=text, labels=[], attachments=[], quick_replies=[])


def set_result(name: str, value: str) -> Action:
    return _action("set_run_result", name=name, value=value, category="")


def call_webhook(url: str, headers: dict[str, str], body: dict[str, Any], *, result_name: str) -> Action:
    """Return a POST action. Its body is text in which Glific replaces the variables."""
    # Indented, because staff change the prompt in this text in Glific.
    text = json.dumps(body, indent=2, ensure_ascii=False)
    return _action("call_webhook", method="POST", url=url, headers=headers, body=text, result_name=result_name)


def wait_for_result(seconds: int) -> Action:
    """Return an action that waits until the flow is resumed or the time is over. Glific reads the seconds as text."""
    return _action("wait_for_result", delay=str(seconds))


def _action(kind: str, **fields: Any) -> Action:
    return {"type": kind, "uuid": str(uuid4()), **fields}


@dataclass(frozen=True)
class Case:
    """A test of a reply or a value (glific/glific: Flows.Case)."""

    kind: str
    arguments: tuple[str, ...] = ()


def equals_text(text: str) -> Case:
    """Return a test for exactly this text, in upper or lower case."""
    return Case("has_only_text", (text,))


IS_MEDIA = Case("has_media")
IS_LOCATION = Case("has_location")


@dataclass(frozen=True)
class Branch:
    """An exit of a step, under the name that the editor shows. A branch without cases is the default."""

    name: str
    then: str | None
    cases: tuple[Case, ...] = ()


@dataclass(frozen=True)
class Step:
    """A node before it has a uuid. Steps refer to each other by name."""

    ui_type: str
    """The editor's type of the node, for `_ui`."""
    branches: tuple[Branch, ...]
    """In the order in which the editor draws them, from left to right."""
    actions: tuple[Action, ...] = ()
    operand: str = ""
    """The value that the router tests; "" for a step without a router."""
    result_name: str = ""
    """The result under which the router stores the value."""
    waits_for_reply: bool = False
    ui_config: Mapping[str, object] | None = None
    """The state of the editor's form, for `_ui`."""


_NO_CASES: Mapping[str, object] = {"cases": {}}


def action_step(*actions: Action, then: str | None) -> Step:
    """Return a step that runs actions."""
    return Step("execute_actions", (Branch("", then),), actions)


def reply_step(result_name: str, *branches: Branch) -> Step:
    """Return a step that waits for a reply of the user."""
    return Step(
        "wait_for_response",
        branches,
        operand="@input.text",
        result_name=result_name,
        waits_for_reply=True,
        ui_config=_NO_CASES,
    )


def split_step(operand: str, *branches: Branch) -> Step:
    return Step("split_by_expression", branches, operand=operand, ui_config=_NO_CASES)


def webhook_step(webhook: Action, *, success: str, failure: str) -> Step:
    """Return a step that calls a webhook. Glific requires the branch names Success and Failure."""
    succeeded = Branch("Success", success, (equals_text("Success"),))
    operand = f"@results.{webhook['result_name']}.category"
    return Step("split_by_webhook", (succeeded, Branch("Failure", failure)), (webhook,), operand, ui_config={})


def wait_step(seconds: int, *, then: str) -> Step:
    """Return a step that waits for a result. It has one branch, for a resumed flow and for a time-out."""
    actions = (wait_for_result(seconds),)
    return Step("wait_for_result", (Branch("Completed", then),), actions, "@input.text", ui_config=_NO_CASES)
