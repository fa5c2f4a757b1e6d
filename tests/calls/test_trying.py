"""How long Glific is told, and how soon again: by what it said, how often it was told, and for how long."""

from datetime import timedelta

import pytest

from glific_gpt.calls.deferred.delivery import next_delay
from glific_gpt.glific.resumption import DeliveryResult, DeliveryStatus, refusal

NOT_WAITING = DeliveryResult(DeliveryStatus.NOT_WAITING, "The flow is not waiting.")
TRY_LATER = DeliveryResult(DeliveryStatus.TRY_LATER, "Glific is in trouble.")
PATIENCE = {NOT_WAITING: timedelta(seconds=60), TRY_LATER: timedelta(minutes=15)}
MOMENT = timedelta(milliseconds=1)
NO_TIME = timedelta(0)

patient = pytest.mark.parametrize("verdict", PATIENCE, ids=lambda verdict: verdict.status)


def longest(verdict: DeliveryResult, tries: int) -> float:
    """Of many pauses, as each is a little shorter by chance."""
    return max(next_delay(verdict, tries, NO_TIME) or 0 for _ in range(200))


def shortest(verdict: DeliveryResult, tries: int) -> float:
    return min(next_delay(verdict, tries, NO_TIME) or 0 for _ in range(200))


@pytest.mark.parametrize("verdict", [DeliveryResult(DeliveryStatus.DELIVERED, "It is done."), refusal("No.")])
def test_it_is_the_end_when_glific_took_it_or_refused_it(verdict: DeliveryResult) -> None:
    assert next_delay(verdict, 1, NO_TIME) is None


@patient
def test_it_is_told_again_until_its_patience_is_over(verdict: DeliveryResult) -> None:
    assert next_delay(verdict, 30, PATIENCE[verdict] - MOMENT)
    assert next_delay(verdict, 30, PATIENCE[verdict] + MOMENT) is None


@pytest.mark.parametrize("retry_after", [0.0, 3.0, 60.0])
def test_it_does_not_outstay_its_patience_because_glific_asked_it_to_wait(retry_after: float) -> None:
    assert (
        next_delay(DeliveryResult(DeliveryStatus.TRY_LATER, "", retry_after), 1, timedelta(minutes=15) + MOMENT) is None
    )


@patient
def test_its_pauses_double_from_half_a_second(verdict: DeliveryResult) -> None:
    for tries, seconds in ((1, 0.5), (2, 1.0), (3, 2.0), (4, 4.0)):
        assert seconds * 0.8 <= shortest(verdict, tries) < longest(verdict, tries) <= seconds


def test_its_pauses_stay_short_for_a_flow_and_grow_longer_for_a_glific_in_trouble() -> None:
    assert 3.2 <= longest(NOT_WAITING, 5) <= 4.0
    assert 3.2 <= longest(NOT_WAITING, 1000) <= 4.0
    assert 6.4 <= longest(TRY_LATER, 5) <= 8.0
    assert 24.0 <= longest(TRY_LATER, 7) <= 30.0
    assert 24.0 <= longest(TRY_LATER, 1000) <= 30.0


@patient
def test_its_pauses_differ_so_that_many_do_not_come_at_the_same_moment(verdict: DeliveryResult) -> None:
    assert len({next_delay(verdict, 3, NO_TIME) for _ in range(20)}) > 1


@pytest.mark.parametrize("retry_after", [1.0, 7.5, 60.0])
def test_it_waits_as_long_as_glific_says(retry_after: float) -> None:
    for tries in (1, 2, 9):
        assert next_delay(DeliveryResult(DeliveryStatus.TRY_LATER, "", retry_after), tries, NO_TIME) == retry_after


def test_it_never_tries_again_without_any_pause() -> None:
    """Glific, or what stands before it, may well say 'Retry-After: 0' for as long as it is in trouble."""
    assert (next_delay(DeliveryResult(DeliveryStatus.TRY_LATER, "", 0.0), 5, NO_TIME) or 0) >= 0.4
