"""A queue whose groups take turns."""

from collections import deque
from collections.abc import Iterator
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Turns(Generic[Item]):
    """Items of several groups. The groups take turns, and the items of a group keep their order. Not thread-safe."""

    def __init__(self) -> None:
        self._queues: dict[object, deque[Item]] = {}
        """Groups with items. The first one is next."""
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def groups(self) -> Iterator[object]:
        """Yield the groups that have items. The first one is next."""
        return iter(self._queues)

    def push(self, group: object, item: Item) -> None:
        self._queues.setdefault(group, deque()).append(item)
        self._length += 1

    def pop(self) -> Item:
        """Take the next item. Raises LookupError if there is none."""
        if not self._queues:
            raise LookupError
        return self.pop_of(next(iter(self._queues)))

    def pop_of(self, group: object) -> Item:
        """Take the next item of this group, which is the last one in turn then. Raises LookupError if it has none."""
        queue = self._queues.pop(group)
        item = queue.popleft()
        if queue:
            self._queues[group] = queue  # at the end, so that the others are next
        self._length -= 1
        return item

    def remove(self, group: object, item: Item) -> None:
        """Raises ValueError if the item is not in the queue."""
        queue = self._queues.get(group, deque())
        queue.remove(item)
        if not queue:
            del self._queues[group]
        self._length -= 1
