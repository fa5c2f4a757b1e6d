"""A node that Glific would not load or run as it looks is told of by its flow and its own name."""

from collections.abc import Callable

import pytest

from glific_gpt.flows.rules import broken
from tests.flows.every_kind import every_kind
from tests.flows.exports import Json, action_of, asking, calls, export, flow, hears, node_of, uid
from tests.flows.wrecking import only, router

Break = Callable[[Json], object]


@pytest.mark.parametrize(
    ("name", "wreck", "says"),
    [
        ("greet", lambda node: node["exits"][0].pop("uuid"), "an exit lacks uuid."),
        ("greet", lambda node: node.update(exits=[]), "its exits are not a list of exits."),
        ("greet", lambda node: node["exits"][0].update(destination_uuid="x"), "an exit leads to x, which is no node."),
        ("greet", lambda node: node.update(actions=[]), "it has neither an action nor a router."),
        ("hear", lambda node: node.pop("actions"), "its actions are not a list."),
        (
            "later",
            lambda node: node.update(router=None, actions=[*node["actions"], {**_send(), "uuid": "z"}]),
            "it waits, and has another action: Glific runs only one of them.",
        ),
        (
            "sheet",
            lambda node: node["actions"].append({**_send(), "uuid": "z"}),
            "it has a router and more than one action: Glific runs only the first.",
        ),
    ],
)
def test_a_node_is_not_as_glific_runs_it(name: str, wreck: Break, says: str) -> None:
    sentence = only(every_kind(), lambda whole: wreck(node_of(whole, name)))
    assert sentence == f'Flow "Everything", node {uid(name)[-4:]}: {says}'


def _send() -> Json:
    return {"type": "send_msg", "text": "Hello"}


@pytest.mark.parametrize(
    ("name", "wreck", "says"),
    [
        ("hear", lambda found: found.update(type="swtch"), "its router is neither switch nor random."),
        ("random", lambda found: found.update(categories={}), "its router's categories are not a list of categories."),
        ("hear", lambda found: found["categories"][0].pop("name"), "a category lacks name."),
        (
            "hear",
            lambda found: found["categories"][0].update(exit_uuid=uid("gpt exit 0")),
            'its category "All Responses" leaves by an exit that it does not have.',
        ),
        ("crop", lambda found: found.pop("operand"), "its router has no operand."),
        ("crop", lambda found: found.pop("default_category_uuid"), "its router's default category is none of its"),
        ("hear", lambda found: found.pop("cases"), "its router's cases are not a list of cases."),
        ("crop", lambda found: found["cases"][0].pop("uuid"), "a case lacks uuid."),
        (
            "crop",
            lambda found: found["cases"][0].update(category_uuid=uid("gpt Success")),
            "its case has_number_between leads to none of its categories.",
        ),
        ("crop", lambda found: found["cases"][0].update(type="is_rice"), 'its case is of the type "is_rice", which'),
        ("crop", lambda found: found["cases"][0]["arguments"].pop(), "its case has_number_between has too few"),
        ("hear", lambda found: found.update(wait={}), "its wait lacks type."),
        (
            "hear",
            lambda found: found["wait"].update(timeout={"seconds": 5}),
            'it stops waiting after a time, and has no category "No Response" to go on by.',
        ),
    ],
)
def test_a_router_does_not_fit_together(name: str, wreck: Break, says: str) -> None:
    sentence = only(every_kind(), lambda whole: wreck(router(whole, name)))
    assert sentence.startswith(f'Flow "Everything", node {uid(name)[-4:]}: {says}')


@pytest.mark.parametrize(
    ("name", "wreck", "says"),
    [
        ("greet", lambda action: action.pop("text"), "its send_msg lacks text."),
        ("greet", lambda action: action.update(text=None), "its send_msg has no text."),
        ("greet", lambda action: action.pop("uuid"), "its send_msg lacks uuid."),
        ("greet", lambda action: action.update(type="send_email"), 'its action is of the type "send_email", which'),
        ("greet", lambda action: action.update(delay="soon"), "its send_msg has a delay that is no number of seconds."),
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
def test_an_action_is_not_as_glific_runs_it(name: str, wreck: Break, says: str) -> None:
    whole = every_kind()
    wreck(action_of(whole, name))
    assert any(one.startswith(f'Flow "Everything", node {uid(name)[-4:]}: {says}') for one in broken(whole))


def test_a_webhook_needs_both_ways_out() -> None:
    sentence = only(asking(), lambda whole: router(whole, "gpt")["categories"][1].update(name="Other"))
    assert sentence.endswith('its webhook has no category "Failure".')


@pytest.mark.parametrize(
    ("url", "method", "hangs"),
    [
        ("https://example.org/gpt", "POST", True),
        ("https://example.org/gpt?n=@results.n.input", "POST", False),
        ("parse_via_chat_gpt", "FUNCTION", False),
        ("my_own_function", "FUNCTION", True),
    ],
)
def test_a_webhook_that_the_flow_comes_back_to_needs_a_changing_address(url: str, method: str, *, hangs: bool) -> None:
    nodes = [hears("hear", "question", "gpt"), calls("gpt", "hear", None, url=url, method=method)]
    found = broken(export(flow("Loop", nodes)))
    assert [sentence.partition(": ")[2].split(",")[0] for sentence in found] == (
        ["the flow comes back to its webhook"] if hangs else []
    )
