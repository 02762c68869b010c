"""Who waits for the answer to a command: in the queue of all, or in the line of those who want a number of one series."""

from asyncio import Future
from collections import deque
from collections.abc import Collection
from typing import TYPE_CHECKING

from shared.store.protocol import Unavailable

if TYPE_CHECKING:
    from shared.handling import Done, Request

GROUP = 32
"""Commands of one shared commit."""


class Waiting:
    """A command on its way. `names` are the stream and the key that only one group at a time may have."""

    __slots__ = ("future", "names", "request")

    def __init__(self, request: "Request", future: "Future[Done]") -> None:
        self.request = request
        self.future = future
        key = request.key
        self.names = (request.order.stream, f"{key.subject} {key.route} {key.key}" if key else f" {id(request)}")

    def tell(self, done: "Done") -> None:
        """The answer, where somebody still waits for it."""
        if not self.future.done():
            self.future.set_result(done)

    def fail(self, error: Exception) -> None:
        """What stood in the way, where somebody still waits."""
        if not self.future.done():
            self.future.set_exception(error)


class Line:
    """Who waits for numbers of one series, and how many transactions are giving them out."""

    __slots__ = ("busy", "waiting")

    def __init__(self) -> None:
        self.busy = 0
        self.waiting: deque[Waiting] = deque()

    def leave(self, waiting: Waiting) -> None:
        """Too late for a number: nothing was done. Whose turn has come waits for the end of it."""
        if waiting in self.waiting:
            self.waiting.remove(waiting)
            waiting.fail(Unavailable())


def next_group(queue: deque[Waiting], busy: Collection[str]) -> list[Waiting]:
    """Up to GROUP commands out of a queue; one stream, and one key, is in one group at a time and once in it."""
    batch: list[Waiting] = []
    later: list[Waiting] = []
    seen = set(busy)
    while queue and len(batch) < GROUP:
        waiting = queue.popleft()
        (batch if seen.isdisjoint(waiting.names) else later).append(waiting)
        seen.update(waiting.names)
    queue.extendleft(reversed(later))
    return batch
