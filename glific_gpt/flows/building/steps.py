"""The actions of a node, as Glific's export writes them (glific/glific: Flows.Action)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
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


FORM: Mapping[str, object] = {"cases": {}}


@dataclass(frozen=True)
class Case:
    """A test that a reply or value passes (glific/glific: Flows.Case)."""

    kind: str
    arguments: tuple[str, ...] = ()


def only_text(text: str) -> Case:
    """That text and nothing else; capitals do not count."""
    return Case("has_only_text", (text,))


PICTURES_AND_SOUNDS = Case("has_media")
PLACES = Case("has_location")


@dataclass(frozen=True)
class Branch:
    """A way out of a step, under the name that the editor shows. One without cases is for everything else."""

    name: str
    then: str | None
    cases: tuple[Case, ...] = ()


@dataclass(frozen=True)
class Step:
    """A node before it has a uuid: steps know each other by their names in the conversation."""

    drawn_as: str
    """The editor's name of its kind, for `_ui`."""
    branches: tuple[Branch, ...]
    """From left to right, as they are drawn."""
    actions: tuple[Action, ...] = ()
    operand: str = ""
    """What its router looks at; no router without one."""
    keeps_as: str = ""
    """The result under which the router keeps what it has seen."""
    hears: bool = False
    """Whether it waits for what a person sends."""
    config: Mapping[str, object] | None = None
    """What the editor keeps about its form, for `_ui`."""


def does(*actions: Action, then: str | None) -> Step:
    return Step("execute_actions", (Branch("", then),), actions)


def hears(keeps_as: str, *branches: Branch) -> Step:
    return Step("wait_for_response", branches, operand="@input.text", keeps_as=keeps_as, hears=True, config=FORM)


def splits(on: str, *branches: Branch) -> Step:
    return Step("split_by_expression", branches, operand=on, config=FORM)


def calls(webhook: Action, *, success: str, failure: str) -> Step:
    """Glific leaves it by the branch of these very names."""
    succeeded = Branch("Success", success, (only_text("Success"),))
    operand = f"@results.{webhook['result_name']}.category"
    return Step("split_by_webhook", (succeeded, Branch("Failure", failure)), (webhook,), operand, config={})


def awaits(seconds: int, *, then: str) -> Step:
    """Leaves by the same branch whether the flow was resumed or the time ran out."""
    return Step("wait_for_result", (Branch("Completed", then),), (await_result(seconds),), "@input.text", config=FORM)
