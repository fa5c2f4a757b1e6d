"""Fair semaphore: groups get a place in the order of their arrival, and few threads wait."""

import threading
import time

from glific_gpt.runtime.fair_semaphore import FairSemaphore
from tests.support.deferred import wait_until


class Waiting:
    """Threads that wait for a place, and the order in which they get it."""

    def __init__(self, semaphore: FairSemaphore) -> None:
        self.semaphore = semaphore
        self.served: list[str] = []
        self.threads: list[threading.Thread] = []

    def add(self, group: str, timeout: float = 20) -> None:
        """Start a thread, and return when it waits."""
        count = len(self.semaphore._waiting)
        thread = threading.Thread(target=self._run, args=(group, timeout))
        self.threads.append(thread)
        thread.start()
        wait_until(lambda: len(self.semaphore._waiting) == count + 1)

    def _run(self, group: str, timeout: float) -> None:
        if self.semaphore.acquire(group, timeout):
            self.served.append(group)
            self.semaphore.release()

    def join(self) -> list[str]:
        for thread in self.threads:
            thread.join()
        return self.served


def test_groups_get_the_place_in_the_order_of_their_arrival() -> None:
    semaphore = FairSemaphore(1, max_waiting=3, max_waiting_of_group=2)
    assert semaphore.acquire("a", 0)
    waiting = Waiting(semaphore)
    for group in ("a", "b", "a"):
        waiting.add(group)
    start = time.monotonic()
    assert not semaphore.acquire("c", 20)  # too many wait
    assert time.monotonic() - start < 10
    semaphore.release()
    assert waiting.join() == ["a", "b", "a"]
    assert semaphore.acquire("a", 0)


def test_a_group_has_few_threads_waiting() -> None:
    semaphore = FairSemaphore(0, max_waiting=3, max_waiting_of_group=1)
    waiting = Waiting(semaphore)
    waiting.add("a")
    start = time.monotonic()
    assert not semaphore.acquire("a", 20)
    assert time.monotonic() - start < 10
    waiting.add("b")
    semaphore.release()
    assert waiting.join() == ["a", "b"]


def test_a_thread_that_gives_up_keeps_no_place() -> None:
    semaphore = FairSemaphore(1, max_waiting=3, max_waiting_of_group=3)
    assert semaphore.acquire("a", 0)
    assert not semaphore.acquire("b", 0.01)
    waiting = Waiting(semaphore)
    waiting.add("b", timeout=0.1)
    waiting.add("c")
    waiting.threads[0].join()
    semaphore.release()
    assert waiting.join() == ["c"]
