"""Hypothesis strategies for flows with every node type, valid and invalid."""

from typing import Any

from hypothesis import strategies as st

from tests.flows.simulator.nodes import (
    action_node,
    export,
    make_action,
    reply_node,
    split_node,
    wait_node,
    webhook_node,
)

NAMES = ("one", "two", "three", "four", "five")
FRAGMENTS = (
    "@results.answer", "@results.answer.input", "@results.one", "@contact.name", "@contact.fields.age", "@flow.id",
    "@contact.name.", "@results.gpt.text", "<%= @results.one + 1 %>", "<%= @results.one * @results.one %>",
    "<%= 1 - 2 %> and <% 3", "Success", "No Response", "1", "-5", "", "ask", "[a-", "(?i)a+",
)  # fmt: skip
words = st.sampled_from(FRAGMENTS) | st.text(max_size=8)
texts = words | st.lists(words, min_size=2, max_size=3).map(" ".join)
scalars = st.none() | st.booleans() | st.integers(-9, 10**12) | st.floats(allow_nan=False) | words
anything = scalars | st.lists(scalars, max_size=2) | st.dictionaries(words, scalars | st.lists(scalars), max_size=2)
names = st.sampled_from(("one", "answer", "age"))
places = st.sampled_from((*NAMES, *NAMES, None))

ACTIONS = (
    "send_msg", "send_interactive_msg", "send_broadcast", "set_run_result", "set_contact_field", "set_contact_name",
    "set_contact_language", "set_contact_profile", "add_contact_groups", "remove_contact_groups", "add_input_labels",
    "link_google_sheet", "open_ticket", "call_classifier", "enter_flow", "start_session", "wait_for_time",
    "wait_for_result", "set_wa_group_field", "call_webhook",
)  # fmt: skip
FIELDS = (
    "text", "name", "value", "category", "field", "language", "groups", "labels", "attachments", "delay", "url",
    "method", "headers", "body", "result_name", "flow", "templating", "all_groups",
)  # fmt: skip
CASES = (
    "has_only_text", "has_number_eq", "has_number_between", "has_number", "has_any_word", "has_all_words",
    "has_multiple", "has_phrase", "has_beginning", "has_pattern", "has_phone", "has_email", "has_intent", "has_group",
    "has_category", "has_location", "has_media", "has_file", "has_text",
)  # fmt: skip

valid_actions = st.one_of(
    st.builds(lambda text: make_action("send_msg", text=f"Hello {text}"), texts),
    st.builds(lambda name, value: make_action("set_run_result", name=name, value=value, category=""), names, texts),
    st.builds(lambda key, value: make_action("set_contact_field", field={"key": key}, value=value), names, texts),
    st.builds(lambda name: make_action("set_contact_name", name=name), texts),
    st.builds(lambda label: make_action("set_contact_language", language=label), st.sampled_from(("Hindi", "English"))),
    st.builds(lambda name: make_action("add_contact_groups", groups=[{"uuid": "1", "name": name}]), names),
)
wild_actions = st.builds(
    lambda kind, fields: make_action(kind, **fields),
    st.sampled_from(ACTIONS) | words,
    st.dictionaries(st.sampled_from(FIELDS), anything, max_size=4),
)
a_case = st.tuples(st.sampled_from(CASES), st.lists(words, max_size=2), st.sampled_from(("Yes", "Other")))


@st.composite
def nodes(draw: st.DrawFn, uuid: str, url: str) -> dict[str, Any]:
    kind = draw(
        st.sampled_from(("does", "does", "wild", "splits", "asks", "asks", "calls", "calls", "waits", "enters"))
    )
    then, other = draw(places), draw(places)
    if kind == "does":
        return action_node(uuid, *draw(st.lists(valid_actions, min_size=1, max_size=3)), then=then)
    if kind == "wild":
        return action_node(uuid, draw(wild_actions), then=then)
    if kind == "asks":
        return reply_node(uuid, then, keep_as=draw(names))
    if kind == "calls":
        return webhook_node(
            uuid, url + draw(words), success=then, failure=other, body=draw(_bodies), headers=draw(_headers)
        )
    if kind == "waits":
        delay = draw(st.sampled_from(("120", "1", "0", "")))
        return wait_node(uuid, draw(st.sampled_from(("wait_for_time", "wait_for_result"))), delay, then)
    actions = [draw(wild_actions) if draw(st.booleans()) else make_action("enter_flow", flow={"uuid": "Another"})]
    some = draw(st.lists(a_case, max_size=3))
    return split_node(
        uuid,
        {"Yes": then, "Other": other},
        *some,
        actions=tuple(actions if kind == "enters" else ()),
        operand=draw(texts),
    )


_bodies = st.dictionaries(words, texts | anything, max_size=3) | words
_headers = st.dictionaries(st.sampled_from(("X-One", "content-type", "")) | words, words, max_size=1)


@st.composite
def flows(draw: st.DrawFn, url: str) -> Any:
    """Draw an export; in some of them one value is replaced by an arbitrary one."""
    built: Any = export(*(draw(nodes(uuid, url)) for uuid in NAMES), localization=draw(st.just({}) | anything))
    built["flows"] += export(*(draw(nodes(uuid, url)) for uuid in NAMES[:2]), name="Another", keyword="other")["flows"]
    if draw(st.integers(0, 3)) == 3:
        _change(draw, built)
    return built


def _change(draw: st.DrawFn, place: Any) -> None:
    while isinstance(place, dict | list) and place:
        key = draw(st.sampled_from([*place] if isinstance(place, dict) else [*range(len(place))]))
        if draw(st.integers(0, 4)) == 4:
            place[key] = draw(anything)
            return
        place = place[key]


events = st.one_of(
    st.tuples(st.just("send_text"), texts),
    st.tuples(st.just("send_text"), st.just("ask")),
    st.tuples(st.just("send_image"), words),
    st.tuples(st.just("send_location"), st.just(1.0)),
    st.tuples(st.just("advance_clock"), st.sampled_from((1, 120, 30000))),
    st.tuples(st.just("resume"), st.dictionaries(st.sampled_from(("gpt", "answer", "one")), anything)),
)
"""Events of a conversation: the name of a method and its argument."""
