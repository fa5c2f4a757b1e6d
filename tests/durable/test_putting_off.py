"""Work that is put off: it is called again when its time has come, and holds no place of the queue until then."""

import time
from collections.abc import Iterator
from itertools import pairwise

import pytest
import sqlalchemy as sa

from glific_gpt.durable import Durable, Engine
from glific_gpt.durable.workflow import following
from tests.durable.conftest import HandIn, Launch
from tests.support.later import wait_until


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """With one place."""
    engine = Engine(sa.make_url(database_url), at_once=1, at_once_each=1)
    yield engine
    engine.close()


def test_it_is_called_again_when_its_time_has_come(
    engine: Engine, launch: Launch, hand_in: HandIn, subject: str
) -> None:
    called: list[float] = []

    def put_off_twice(_subject: str, durable: Durable) -> float | None:
        durable.step("call", lambda: called.append(time.monotonic()))
        return 1.0 if len(called) < 3 else None

    launch(put_off_twice)
    hand_in(subject)
    wait_until(lambda: len(called) == 3)
    wait_until(lambda: not engine.is_at_work(subject))
    assert all(later - sooner > 0.9 for sooner, later in pairwise(called))
    assert len(called) == 3


def test_it_is_at_work_and_lets_others_work_meanwhile(
    engine: Engine, launch: Launch, hand_in: HandIn, done: list[str], subject: str
) -> None:
    def put_off(which: str, durable: Durable) -> float | None:
        durable.step("note", lambda: done.append(which))
        return 60.0 if which == subject else None

    launch(put_off)
    hand_in(subject)
    wait_until(lambda: done)
    hand_in(f"{subject}-2")
    wait_until(lambda: done == [subject, f"{subject}-2"])
    assert engine.is_at_work(subject)
    assert f"{subject}~1" in engine.all_at_work()


@pytest.mark.parametrize(("job", "after"), [("call_1", "call_1~1"), ("call_1~9", "call_1~10"), ("a.2.b~1", "a.2.b~2")])
def test_it_has_a_name_that_says_of_what_it_is_the_rest(job: str, after: str) -> None:
    assert following(job) == after
