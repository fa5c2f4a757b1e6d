"""Pitfalls of flows, which the rules and a conversion report: nodes that Glific does not import, publish or fill."""

import json
from typing import Any

import pytest
from hypothesis import given

from glific_gpt.flows.converting import Placement, convert
from glific_gpt.flows.endpoint import WebhookEndpoint
from glific_gpt.flows.pitfalls import find_pitfalls
from glific_gpt.flows.rules import find_remarks, find_violations
from tests.flows.any_values import flows_with_any_value
from tests.flows.conftest import URL
from tests.flows.exports import (
    Json,
    action_node,
    action_of,
    export,
    flow,
    message_node,
    question_export,
    reply_node,
    router_node,
    uuid_of,
    webhook_node,
)

SIGNED = WebhookEndpoint(URL, None)


def with_node(node: Json, **more: Any) -> Json:
    """Return a flow with a GPT node and another one."""
    exported = question_export()
    exported["flows"][0] = flow("Ask", [*exported["flows"][0]["definition"]["nodes"], node], "ask", **more)
    return exported


def cautions(exported: Json, placement: Placement = Placement.COPY) -> list[str]:
    return [note.message for note in convert(exported, SIGNED, placement).warnings]


def assistant_node(body: Json, url: str = "filesearch-gpt") -> Json:
    return webhook_node("assistant", None, None, url=url, body=json.dumps(body), result_name="files")


@pytest.mark.parametrize("url", ["filesearch-gpt", "voice-filesearch-gpt", "https://example.org/ask"])
def test_an_assistant_that_the_import_empties_is_reported(url: str) -> None:
    exported = with_node(assistant_node({"question": "@results.question", "assistant_id": "asst_abc123"}, url))
    assert find_violations(exported) == []
    (remark,) = find_remarks(exported)
    assert remark.endswith("importing the file empties its assistant_id. Enter asst_abc123 again after the import.")
    told = "Importing a file empties assistant_id. Enter asst_abc123 again in this node after the import."
    # A converted node has a vector store in its place.
    assert (told in cautions(exported)) is (url != "filesearch-gpt")
    assert told not in cautions(exported, Placement.IN_PLACE)


@pytest.mark.parametrize("value", ["", None, 5])
def test_an_assistant_that_stays_empty_is_not_reported(value: Any) -> None:
    assert find_remarks(with_node(assistant_node({"assistant_id": value}))) == []


def interactive(identifier: Any, name: str = "Role") -> Json:
    return action_node(
        "choose", {"type": "send_interactive_msg", "name": name, "id": identifier, "text": "{}"}, to="hear"
    )


@pytest.mark.parametrize(
    ("identifier", "templates"),
    [(38745, []), ("38745", [{"source_id": 25895}]), (None, [{"source_id": None}]), ("", [{"label": "Role"}])],
)
def test_an_interactive_message_without_its_template_is_reported(identifier: Any, templates: list[Json]) -> None:
    exported = with_node(interactive(identifier)) | {"interactive_templates": templates}
    (violation,) = find_violations(exported)
    assert violation.endswith('its interactive template "Role" is not in the file, so the import fails.')
    assert 'The interactive message "Role" is not in the file' in cautions(exported)[0]
    assert cautions(exported, Placement.IN_PLACE) == []


@pytest.mark.parametrize(("identifier", "source"), [(38745, 38745), ("38745", 38745), (38745, "38745")])
def test_an_interactive_message_with_its_template_is_fine(identifier: Any, source: Any) -> None:
    exported = with_node(interactive(identifier)) | {"interactive_templates": [{"source_id": source, "label": "x"}]}
    assert find_violations(exported) == []


@pytest.mark.parametrize(
    ("text", "variable"),
    [
        ("उत्तर: @results.gpt_response.parsed_msg।", "@results.gpt_response.parsed_msg"),
        ("@contact.nameजी, नमस्ते", "@contact.name"),
        ("This is @contact.name’s answer", "@contact.name"),
        ("Thanks @contact.fields.town😀", "@contact.fields.town"),
    ],
)
def test_a_variable_directly_before_a_letter_outside_ascii_is_reported(text: str, variable: str) -> None:
    set_result = {"type": "set_run_result", "name": "x", "category": "", "value": text}
    for node in (
        message_node("more", text, None),
        action_node("more", set_result, to=None),
        webhook_node("more", None, None, method="POST", url="https://example.org", body=json.dumps({"a": [text]})),
        router_node("more", ("Other", None, None), operand=text),
    ):
        (violation,) = find_violations(with_node(node))
        assert f"follows {variable} directly" in violation
        assert cautions(with_node(node)) == cautions(with_node(node), Placement.IN_PLACE)
        assert f"Put a blank behind {variable}." in cautions(with_node(node))[0]


def test_a_translation_is_searched_too() -> None:
    node = message_node("more", "Hello @contact.name!", None)
    translated = {"hi": {node["actions"][0]["uuid"]: {"text": ["नमस्ते @contact.nameजी"]}}}
    (violation,) = find_violations(with_node(node, localization=translated))
    assert "@contact.name" in violation


@pytest.mark.parametrize(
    "text",
    [
        "@contact.name जी",
        "@results.question।",
        "asha@contact.org।",
        "@results.gpt_response.parsed_msg",
        "@contact.nameש",
    ],
)
def test_a_variable_that_glific_fills_is_not_reported(text: str) -> None:
    """Glific fills the reply of a router by a plain search, whatever follows."""
    assert find_violations(with_node(message_node("more", text, None))) == []


@pytest.mark.parametrize("text", ["Know your Immune System. It", "<%= Enum.count(Task.await(1)) %>", "apply(now)"])
def test_a_value_with_suspicious_code_is_reported(text: str) -> None:
    action = {"type": "set_run_result", "name": "x", "category": "", "value": text}
    for node in (action_node("more", action, to=None), router_node("more", ("Other", None, None), operand=text)):
        (violation,) = find_violations(with_node(node))
        assert "for suspicious code, and publishes no such flow" in violation
        assert "for suspicious code, and does not publish the flow" in cautions(with_node(node))[0]
    assert find_violations(with_node(message_node("more", text, None))) == []


@pytest.mark.parametrize("localization", [None, "absent", {}])
def test_a_missing_localization_is_no_violation(localization: Any) -> None:
    exported = question_export()
    exported["flows"][0]["definition"]["localization"] = localization
    if localization == "absent":
        del exported["flows"][0]["definition"]["localization"]
    assert find_violations(exported) == []


@pytest.mark.parametrize("delay", [" 120 ", "", "0", "-5", "2 minutes", None, 120])
def test_a_wait_that_glific_cannot_load_or_skips_is_reported(delay: Any) -> None:
    node = router_node(
        "wait", ("Completed", None, None), actions=({"type": "wait_for_result", "delay": delay},), operand="@input.text"
    )
    (violation,) = find_violations(with_node(node))
    assert "does not wait" in violation


def test_a_flow_with_several_pitfalls_names_each_node() -> None:
    nodes = [
        message_node("one", "@contact.nameजी", "two"),
        reply_node("two", "answer", "three"),
        assistant_node({"question": "@results.answer", "assistant_id": "asst_1"}),
        webhook_node("three", None, None, body='{"question_text": "", "gpt_model": "", "prompt": ""}'),
    ]
    exported = export(flow("Several", nodes, "several"))
    sentences = [*find_violations(exported), *find_remarks(exported)]
    assert [sentence.split(":")[0].removeprefix('Flow "Several", node ') for sentence in sentences] == [
        uuid_of(name)[-4:] for name in ("one", "assistant", "three")
    ]
    assert action_of(exported, "three")["url"] == "parse_via_chat_gpt"


POST = {"method": "POST", "url": f"{URL}?n=@results.n.input"}
OWN_THREAD = "@results.gpt_response.thread_id"


def asking_node(thread_id: Any = None, name: str = "gpt", **webhook: Any) -> Json:
    """Return a node that calls this server, with a thread_id if there is one."""
    body = {"question_text": "@results.question"} | ({} if thread_id is None else {"thread_id": thread_id})
    return webhook_node(name, None, None, body=json.dumps(body), **(POST | webhook))


@pytest.mark.parametrize(
    "nodes",
    [
        [asking_node("@results.answer.thread_id")],
        [asking_node(name="first"), asking_node(OWN_THREAD, "second", result_name="answer")],
        [asking_node("@results.gpt_respons.thread_id")],
    ],
)
def test_a_thread_id_that_never_exists_is_reported(nodes: list[Json]) -> None:
    exported = export(flow("Memory", nodes, "memory"))
    assert find_violations(exported) == []
    (remark,) = find_remarks(exported)
    assert "which no node of the flow saves, so each question begins a new conversation." in remark
    function = {"method": "FUNCTION", "url": "parse_via_chat_gpt"}
    (caution,) = [each for each in cautions(with_node(asking_node("@results.x.thread_id", **function))) if "x" in each]
    assert caution.startswith("thread_id reads @results.x.thread_id, which no node")


@pytest.mark.parametrize(
    "nodes",
    [
        [asking_node(OWN_THREAD)],
        [asking_node("", "first"), asking_node(OWN_THREAD, "second", result_name="answer")],
        [asking_node(f" {OWN_THREAD.replace('gpt', 'GPT')} ")],
        [asking_node(name="first", url="https://example.org/ask"), asking_node(OWN_THREAD, "second")],
        [asking_node(name="first", url="filesearch-gpt", method="FUNCTION"), asking_node(OWN_THREAD, "second")],
        [asking_node("@contact.fields.thread"), asking_node(7, "second"), asking_node("", "third")],
    ],
)
def test_a_thread_id_that_can_exist_is_not_reported(nodes: list[Json]) -> None:
    assert list(find_remarks(export(flow("Memory", nodes, "memory")))) == []


@given(flows_with_any_value())
def test_any_value_in_a_flow_is_searched_without_an_error(exported: Any) -> None:
    assert all(isinstance(pitfall.value, str) for pitfall in find_pitfalls(exported))
