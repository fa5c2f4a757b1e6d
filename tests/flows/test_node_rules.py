"""Nodes that Glific would not load or run are reported with their flow and uuid."""

from collections.abc import Callable

import pytest

from glific_gpt.flows.rules import find_violations
from tests.flows.every_node_type import every_node_type
from tests.flows.exports import (
    Json,
    action_of,
    export,
    flow,
    node_of,
    question_export,
    reply_node,
    uuid_of,
    webhook_node,
)
from tests.flows.helpers import only_violation, router_of

Break = Callable[[Json], object]


@pytest.mark.parametrize(
    ("name", "break_it", "text"),
    [
        ("greet", lambda node: node["exits"][0].pop("uuid"), "an exit lacks uuid."),
        ("greet", lambda node: node.update(exits=[]), "its exits are not a list of exits."),
        (
            "greet",
            lambda node: node["exits"][0].update(destination_uuid="x"),
            "an exit leads to x, which is not a node.",
        ),
        ("greet", lambda node: node.update(actions=[]), "it has neither an action nor a router."),
        ("hear", lambda node: node.pop("actions"), "its actions are not a list."),
        (
            "later",
            lambda node: node.update(router=None, actions=[*node["actions"], {**_send(), "uuid": "z"}]),
            "it waits, and has another action. Glific runs only one of them.",
        ),
        (
            "sheet",
            lambda node: node["actions"].append({**_send(), "uuid": "z"}),
            "it has a router and more than one action. Glific runs only the first action.",
        ),
    ],
)
def test_a_broken_node_is_reported(name: str, break_it: Break, text: str) -> None:
    sentence = only_violation(every_node_type(), lambda exported: break_it(node_of(exported, name)))
    assert sentence == f'Flow "Everything", node {uuid_of(name)[-4:]}: {text}'


def _send() -> Json:
    return {"type": "send_msg", "text": "Hello"}


@pytest.mark.parametrize(
    ("name", "break_it", "text"),
    [
        ("hear", lambda found: found.update(type="swtch"), "its router is neither switch nor random."),
        ("random", lambda found: found.update(categories={}), "its router's categories are not a list of categories."),
        ("hear", lambda found: found["categories"][0].pop("name"), "a category lacks name."),
        (
            "hear",
            lambda found: found["categories"][0].update(exit_uuid=uuid_of("gpt exit 0")),
            'its category "All Responses" leads to an exit that the node does not have.',
        ),
        ("crop", lambda found: found.pop("operand"), "its router has no operand."),
        ("crop", lambda found: found.pop("default_category_uuid"), "its router's default category is not one of its"),
        ("hear", lambda found: found.pop("cases"), "its router's cases are not a list of cases."),
        ("crop", lambda found: found["cases"][0].pop("uuid"), "a case lacks uuid."),
        (
            "crop",
            lambda found: found["cases"][0].update(category_uuid=uuid_of("gpt Success")),
            "its case has_number_between leads to none of its categories.",
        ),
        ("crop", lambda found: found["cases"][0].update(type="is_rice"), 'its case has the type "is_rice", which'),
        ("crop", lambda found: found["cases"][0]["arguments"].pop(), "its case has_number_between has too few"),
        ("hear", lambda found: found.update(wait={}), "its wait lacks type."),
        (
            "hear",
            lambda found: found["wait"].update(timeout={"seconds": 5}),
            'its wait has a time-out, but there is no category "No Response".',
        ),
    ],
)
def test_an_inconsistent_router_is_reported(name: str, break_it: Break, text: str) -> None:
    sentence = only_violation(every_node_type(), lambda exported: break_it(router_of(exported, name)))
    assert sentence.startswith(f'Flow "Everything", node {uuid_of(name)[-4:]}: {text}')


@pytest.mark.parametrize(
    ("name", "break_it", "text"),
    [
        ("greet", lambda action: action.pop("text"), "its send_msg lacks text."),
        ("greet", lambda action: action.update(text=None), "its send_msg has no text."),
        ("greet", lambda action: action.pop("uuid"), "its send_msg lacks uuid."),
        ("greet", lambda action: action.update(type="send_email"), 'its action has the type "send_email", which'),
        (
            "greet",
            lambda action: action.update(delay="soon"),
            "its send_msg has a delay that is not a number of seconds.",
        ),
        ("greet", lambda action: action.update(templating={"template": {}}), "its message names no template."),
        ("field", lambda action: action.pop("field"), "its set_contact_field lacks field."),
        ("later", lambda action: action.update(delay=60), "its wait_for_result does not wait: delay must be whole"),
        ("time", lambda action: action.update(delay="0"), "its wait_for_time does not wait: delay must be whole"),
        ("other webhook", lambda action: action.update(method="PATCH"), "its webhook's method is neither GET nor POST"),
        ("other webhook", lambda action: action.update(url=""), "its webhook has no address."),
        ("other webhook", lambda action: action.update(headers=[]), "its webhook's headers are not an object."),
        ("other webhook", lambda action: action.update(result_name=None), "its webhook has no result name"),
        ("other webhook", lambda action: action.pop("result_name"), "its call_webhook lacks result_name."),
        ("other webhook", lambda action: action.update(body='{"n": @results.n}'), "its webhook's body is not a JSON"),
        ("other webhook", lambda action: action.update(body="[]"), "its webhook's body is not a JSON object"),
    ],
)
def test_a_broken_action_is_reported(name: str, break_it: Break, text: str) -> None:
    exported = every_node_type()
    break_it(action_of(exported, name))
    assert any(
        one.startswith(f'Flow "Everything", node {uuid_of(name)[-4:]}: {text}') for one in find_violations(exported)
    )


def test_a_webhook_needs_both_categories() -> None:
    sentence = only_violation(
        question_export(), lambda exported: router_of(exported, "gpt")["categories"][1].update(name="Other")
    )
    assert sentence.endswith('its webhook has no category "Failure".')


@pytest.mark.parametrize(
    ("url", "method", "is_dropped"),
    [
        ("https://example.org/gpt", "POST", True),
        ("https://example.org/gpt?n=@results.n.input", "POST", False),
        ("parse_via_chat_gpt", "FUNCTION", False),
        ("my_own_function", "FUNCTION", True),
    ],
)
def test_a_webhook_on_a_cycle_needs_a_changing_address(url: str, method: str, *, is_dropped: bool) -> None:
    nodes = [reply_node("hear", "question", "gpt"), webhook_node("gpt", "hear", None, url=url, method=method)]
    found = find_violations(export(flow("Loop", nodes)))
    assert [sentence.partition(": ")[2].split(",")[0] for sentence in found] == (
        ["the flow returns to its webhook"] if is_dropped else []
    )
