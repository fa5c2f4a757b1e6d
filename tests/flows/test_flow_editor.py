"""Glific's own editor draws our flows completely and reports no issues."""

from typing import Any

import pytest
from playwright.sync_api import Page

from glific_gpt.flows.building import FlowSpec, Mode, build_flow
from glific_gpt.flows.converting import convert
from glific_gpt.flows.endpoint import WebhookEndpoint
from tests.flows.conftest import URL
from tests.flows.every_node_type import every_node_type
from tests.flows.exports import uuid_of
from tests.support.flow_editor import Editor, open_editor
from tests.support.flow_editor_drawing import Line

LONG = URL.replace("seva-trust", "a-name-that-is-as-long-as-names-of-organizations-may-be" * 2)


def definition(export: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = export["flows"][0]["definition"]
    return found


def lines(flow: dict[str, Any]) -> set[Line]:
    return {
        Line(node["uuid"], node_exit["uuid"], node_exit["destination_uuid"])
        for node in flow["nodes"]
        for node_exit in node["exits"]
        if node_exit["destination_uuid"]
    }


def assert_whole(editor: Editor, flow: dict[str, Any]) -> None:
    assert editor.node_uuids() == {node["uuid"] for node in flow["nodes"]}
    assert editor.lines() == lines(flow)
    assert {note.uuid for note in editor.sticky_notes()} == set(flow["_ui"]["stickies"])
    assert (editor.issues(), editor.foreign) == ([], set())


def assert_legible(editor: Editor) -> None:
    assert (editor.overlaps(), editor.moved(), editor.hidden()) == ([], set(), set())


def test_a_built_flow_is_drawn_completely_and_legibly(page: Page, spec: FlowSpec) -> None:
    flow = definition(build_flow(spec))
    with open_editor(page, flow) as editor:
        assert_whole(editor, flow)
        assert_legible(editor)
        assert editor.console_errors == []


@pytest.mark.parametrize("url", ["https://a.in/webhooks/a/parse_via_chat_gpt", LONG], ids=["short", "long"])
def test_a_built_flow_is_legible_with_any_address_and_keyword(page: Page, url: str) -> None:
    flow = definition(
        build_flow(
            FlowSpec(
                Mode.AUTO,
                "Ask",
                "askwithaverylongkeyword" * 3,
                WebhookEndpoint(url, None),
                "gpt-4o",
                has_memory=True,
                uses_documents=True,
            )
        )
    )
    with open_editor(page, flow) as editor:
        assert_whole(editor, flow)
        assert_legible(editor)


def test_the_editor_saves_a_built_flow_unchanged(page: Page, spec: FlowSpec) -> None:
    flow = definition(build_flow(spec))
    with open_editor(page, flow) as editor:
        saved = editor.saved()
    by_uuid = {node["uuid"]: node for node in saved["nodes"]}
    assert by_uuid == {node["uuid"]: node for node in flow["nodes"]}
    assert (saved["_ui"]["nodes"], saved["_ui"]["stickies"]) == (flow["_ui"]["nodes"], flow["_ui"]["stickies"])


def test_a_converted_flow_with_every_node_type_is_drawn_completely(page: Page, endpoint: WebhookEndpoint) -> None:
    flow = definition(convert(every_node_type(), endpoint).export)
    with open_editor(page, flow) as editor:
        assert_whole(editor, flow)
        assert_legible(editor)
        (shown,) = [texts for uuid, texts in editor.texts().items() if uuid == uuid_of("gpt")]
        assert any(text.startswith("https://gpt.example.org/webho") for text in shown)
