"""Organizations side by side: nothing of one is ever used for another, and none stands in another's way."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.conftest import OpenHouse
from tests.support.glific_behaviours import server_error
from tests.support.glific_stand_in import GlificStandIn
from tests.support.house import House, Ngo
from tests.support.later import begin_working, pending, wait_until
from tests.support.openai_behaviours import Echo, echo, never
from tests.support.openai_stand_in import OpenAIStandIn

pytestmark = pytest.mark.both_databases

CALLS = 4
"""Of each, for the same contact in the same flow."""


@pytest.fixture
def others(glific: GlificStandIn) -> Iterator[dict[str, GlificStandIn]]:
    """The Glific of each, by slug."""
    with ExitStack() as stack:
        yield {"alice": glific, "bob": stack.enter_context(GlificStandIn())}


def joined(house: House, others: dict[str, GlificStandIn]) -> dict[str, Ngo]:
    ngos = {slug: house.ngo(slug) for slug in others}
    for slug, ngo in ngos.items():
        ngo.connect(others[slug])
    return ngos


def test_it_asks_with_each_ones_key_and_tells_each_ones_glific(
    house: House, others: dict[str, GlificStandIn], openai: OpenAIStandIn
) -> None:
    openai.always(echo())
    ngos = joined(house, others)
    calls = {
        pending(ngo.ask_later(question_text=f"{slug} {number}")): ngo
        for number in range(CALLS)
        for slug, ngo in ngos.items()
    }
    begin_working(house)
    assert {ngo.settled(call_id).state for call_id, ngo in calls.items()} == {"delivered"}
    for slug, glific in others.items():
        resumed = glific.resumptions
        assert {each.result["call_id"] for each in resumed} == {c for c, ngo in calls.items() if ngo.slug == slug}
        heard = [Echo.read(str(each.result["parsed_msg"])) for each in resumed]
        assert {each.last4 for each in heard} == {ngos[slug].key[-4:]}
        assert sorted(each.question for each in heard) == [f"{slug} {number}" for number in range(CALLS)]


def test_it_goes_on_for_bob_when_alices_key_is_off_and_her_glific_in_trouble(
    house: House, others: dict[str, GlificStandIn], openai: OpenAIStandIn
) -> None:
    ngos = joined(house, others)
    others["alice"].always(server_error())
    alices, bobs = pending(ngos["alice"].ask_later()), pending(ngos["bob"].ask_later())
    ngos["alice"].switch_key(on=False)
    begin_working(house)
    assert ngos["bob"].settled(bobs).state == "delivered"
    assert others["bob"].resumptions[0].result["status"] == "ok"
    wait_until(lambda: ngos["alice"].delivery(alices).attempts >= 1)
    others["alice"].reset()
    assert ngos["alice"].settled(alices).state == "delivered"
    assert others["alice"].resumptions[0].result["error_code"] == "credential_inactive"
    assert {asked.api_key for asked in openai.requests} == {ngos["bob"].key}


def test_it_leaves_room_for_bob_while_alice_waits_for_more_than_her_share(
    open_a_house: OpenHouse, others: dict[str, GlificStandIn], openai: OpenAIStandIn
) -> None:
    house = open_a_house(works=True, max_deferred_calls=3, max_deferred_calls_per_organization=2)
    ngos = joined(house, others)
    openai.for_key(ngos["alice"].key, never())
    alices = [pending(ngos["alice"].ask_later()) for _ in range(CALLS)]
    wait_until(lambda: len(openai.requests) == 2)
    call_id = pending(ngos["bob"].ask_later())
    assert ngos["bob"].settled(call_id, seconds=5).state == "delivered"
    assert len([asked for asked in openai.requests if asked.api_key == ngos["alice"].key]) == 2
    openai.reset()
    assert {ngos["alice"].settled(each).state for each in alices} == {"delivered"}
