"""The flow editor for tests shows a valid flow completely, and reports errors of an invalid one."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.support import flow_editor_server
from tests.support.flow_editor import open_editor
from tests.support.flow_editor_drawing import Line, Sticky
from tests.support.flow_editor_server import FlowEditorServer

ASK, WAIT, THANK, NOTE = "ask", "wait", "thank", "note"
Definition = dict[str, Any]


def _message(uuid: str, text: str, destination: str | None) -> Definition:
    action = {"type": "send_msg", "uuid": f"{uuid}-action", "text": text, "attachments": [], "quick_replies": []}
    return {"uuid": uuid, "actions": [action], "exits": [{"uuid": f"{uuid}-exit", "destination_uuid": destination}]}


def _waiting(uuid: str, destination: str) -> Definition:
    category = {"uuid": "all", "name": "All Responses", "exit_uuid": f"{uuid}-exit"}
    router = {
        "type": "switch",
        "operand": "@input.text",
        "wait": {"type": "msg"},
        "cases": [],
        "categories": [category],
        "default_category_uuid": "all",
        "result_name": "name",
    }
    return {**_message(uuid, "", destination), "actions": [], "router": router}


def _drawn(kind: str, top: int) -> Definition:
    return {"type": kind, "position": {"left": 100, "top": top}, "config": {"cases": {}}}


@pytest.fixture
def definition() -> Definition:
    """A flow that asks for a name, waits for it, and says thanks, with a sticky note."""
    note = {"title": "Names", "body": "Change these words.", "color": "blue", "position": {"left": 420, "top": 60}}
    nodes = {ASK: _drawn("execute_actions", 60), WAIT: _drawn("wait_for_response", 220)}
    return {
        "uuid": "5d6a1c5e-0000-4000-8000-000000000001",
        "name": "Names",
        "type": "messaging",
        "spec_version": "13.2.0",
        "language": "base",
        "localization": {},
        "expire_after_minutes": 10080,
        "nodes": [_message(ASK, "Who are you?", WAIT), _waiting(WAIT, THANK), _message(THANK, "Thank you!", None)],
        "_ui": {"nodes": {**nodes, THANK: _drawn("execute_actions", 420)}, "stickies": {NOTE: note}},
    }


def test_a_valid_flow_is_drawn_with_all_its_nodes_lines_and_notes(page: Page, definition: Definition) -> None:
    with open_editor(page, definition) as editor:
        assert editor.texts() == {
            ASK: ["FLOW START", "Send Message", "Who are you?"],
            WAIT: ["Wait for Response", "Save as name", "All Responses"],
            THANK: ["Send Message", "Thank you!"],
        }
        assert editor.lines() == {Line(ASK, "ask-exit", WAIT), Line(WAIT, "wait-exit", THANK)}
        assert editor.sticky_notes() == [Sticky(NOTE, "Names", "Change these words.")]


def test_a_valid_flow_has_no_issues(page: Page, definition: Definition) -> None:
    with open_editor(page, definition) as editor:
        assert (editor.issues(), editor.console_errors, editor.server.unanswered) == ([], [], [])
        assert (editor.overlaps(), editor.moved(), editor.hidden()) == ([], set(), set())


def test_the_editor_requests_nothing_from_other_hosts(page: Page, definition: Definition) -> None:
    with open_editor(page, definition) as editor:
        assert editor.foreign == set()


def test_a_request_to_another_host_is_blocked_and_reported(page: Page, definition: Definition) -> None:
    with open_editor(page, definition) as editor:
        page.evaluate("fetch('https://example.org/font').catch(() => null)")
        assert editor.foreign == {"https://example.org/font"}


def test_the_editor_saves_a_valid_flow_unchanged(page: Page, definition: Definition) -> None:
    with open_editor(page, deepcopy(definition)) as editor:
        saved = editor.saved()
    assert saved["nodes"] == definition["nodes"]
    assert saved["_ui"]["nodes"] == definition["_ui"]["nodes"]
    assert saved["_ui"]["stickies"] == definition["_ui"]["stickies"]


def test_a_screenshot_has_the_whole_flow(page: Page, definition: Definition, tmp_path: Path) -> None:
    definition["_ui"]["nodes"][THANK]["position"] = {"left": 1500, "top": 1900}
    with open_editor(page, definition) as editor:
        editor.screenshot(tmp_path / "flow.png")
    picture = (tmp_path / "flow.png").read_bytes()
    width, height = (int.from_bytes(picture[start : start + 4], "big") for start in (16, 20))
    assert (width > 1700, height > 2000) == (True, True)


def test_a_router_of_an_unknown_type_is_marked(page: Page, definition: Definition) -> None:
    definition["_ui"]["nodes"][WAIT]["type"] = "wait_for_godot"
    with open_editor(page, definition) as editor:
        assert editor.issues() == ["Missing: Save as name: All Responses"]


def test_an_action_of_an_unknown_type_is_marked(page: Page, definition: Definition) -> None:
    definition["nodes"][2]["actions"][0]["type"] = "send_pigeon"
    with open_editor(page, definition) as editor:
        assert editor.issues() == ["Missing: No implementation yet for send_pigeon"]


def test_a_router_that_is_drawn_without_a_title_is_an_issue(page: Page, definition: Definition) -> None:
    definition["_ui"]["nodes"][WAIT]["type"] = "execute_actions"
    with open_editor(page, definition) as editor:
        assert editor.issues() == ["All Responses"]


def test_a_connection_to_a_missing_node_leaves_no_line_drawn(page: Page, definition: Definition) -> None:
    definition["nodes"][0]["exits"][0]["destination_uuid"] = "nowhere"
    with open_editor(page, definition) as editor:
        assert editor.node_uuids() == {ASK, WAIT, THANK}
        assert editor.lines() == set()


def test_overlapping_boxes_are_reported_although_the_editor_moves_them(page: Page, definition: Definition) -> None:
    definition["_ui"]["nodes"][WAIT]["position"]["top"] = 100
    with open_editor(page, definition) as editor:
        assert (editor.overlaps(), editor.moved()) == ([(ASK, WAIT)], {WAIT})


def test_a_line_behind_a_note_is_reported(page: Page, definition: Definition) -> None:
    definition["_ui"]["nodes"][THANK]["position"]["top"] = 620
    definition["_ui"]["stickies"][NOTE]["position"] = {"left": 120, "top": 400}
    with open_editor(page, definition) as editor:
        assert editor.hidden() == {(Line(WAIT, "wait-exit", THANK), NOTE)}


@pytest.mark.parametrize(("ci", "outcome"), [("true", pytest.fail.Exception), ("", pytest.skip.Exception)])
def test_a_missing_editor_fails_in_ci_and_skips_elsewhere(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, definition: Definition, ci: str, outcome: type[BaseException]
) -> None:
    monkeypatch.setenv("CI", ci)
    monkeypatch.setattr(flow_editor_server, "BUILD", tmp_path)
    with pytest.raises(outcome, match="flow editor is not installed"):
        FlowEditorServer(definition)
