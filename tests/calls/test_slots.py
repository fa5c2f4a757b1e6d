"""Slots for calls: an organization holds at most its share of those that others leave free."""

from contextlib import ExitStack

import pytest

from glific_gpt.calls.slots import CallSlots
from glific_gpt.errors import Overloaded

ALICE, BOB, CAROL = 1, 2, 3


def count_held(slots: CallSlots, stack: ExitStack, organization_id: int) -> int:
    """Take slots until one is refused."""
    for taken in range(100):
        try:
            stack.enter_context(slots.hold(organization_id))
        except Overloaded:
            return taken
    raise AssertionError("There is no limit.")


def test_each_organization_may_hold_a_share_of_what_the_others_leave() -> None:
    slots = CallSlots(20, 0.5)
    with ExitStack() as stack:
        assert [count_held(slots, stack, each) for each in (ALICE, BOB, CAROL)] == [10, 5, 2]
        assert count_held(slots, stack, ALICE) == 0


def test_slots_that_are_freed_can_be_taken_again() -> None:
    slots = CallSlots(20, 0.5)
    for _ in range(3):
        with ExitStack() as stack:
            assert count_held(slots, stack, ALICE) == 10


def test_a_call_that_fails_frees_its_slot() -> None:
    slots = CallSlots(20, 0.5)
    with pytest.raises(ZeroDivisionError), slots.hold(BOB):
        raise ZeroDivisionError
    with ExitStack() as stack:
        assert count_held(slots, stack, ALICE) == 10


def test_an_organization_may_always_hold_a_free_slot_if_it_has_none() -> None:
    with ExitStack() as stack:
        slots = CallSlots(2, 0.1)
        assert [count_held(slots, stack, each) for each in (ALICE, BOB, CAROL)] == [1, 1, 0]


def test_with_a_share_of_one_an_organization_may_hold_every_slot() -> None:
    with ExitStack() as stack:
        assert count_held(CallSlots(20, 1), stack, ALICE) == 20


def test_the_refusal_names_the_limit_of_the_organization_or_a_full_server() -> None:
    slots = CallSlots(9, 0.5)
    with ExitStack() as stack:
        count_held(slots, stack, ALICE)
        with pytest.raises(Overloaded, match=r"This organization .* \(4 at present\)") as own, slots.hold(ALICE):
            pass
        for organization_id in range(BOB, 10):
            count_held(slots, stack, organization_id)
        with pytest.raises(Overloaded, match="as many calls as it can") as full, slots.hold(10):
            pass
    assert (own.value.retry_after, full.value.retry_after) == (1, 1)


def test_a_large_call_holds_several_slots_and_may_always_run_alone() -> None:
    slots = CallSlots(20, 0.5)
    with slots.hold(ALICE, 17), pytest.raises(Overloaded, match="This organization"), slots.hold(ALICE):
        pass
    with slots.hold(ALICE, 6), slots.hold(BOB, 4), ExitStack() as stack:
        with pytest.raises(Overloaded, match="This organization"), slots.hold(ALICE, 5):
            pass
        assert count_held(slots, stack, ALICE) == 2
    with ExitStack() as stack:
        assert count_held(slots, stack, ALICE) == 10
