"""What all actors of one program share: counts, running tasks, time."""

import asyncio
from collections import defaultdict
from collections.abc import Coroutine
from itertools import count
from typing import Any, TypeVar
from uuid import uuid4

import msgspec

T = TypeVar("T")


class Counts(msgspec.Struct):
    """What became of the messages sent to one kind of actor.

    ``accepted`` is always the sum of the others and of what still waits or is being handled.
    """

    accepted: int = 0
    handled: int = 0
    failed: int = 0
    cancelled: int = 0
    expired: int = 0
    dead: int = 0
    refused: int = 0  # never accepted: the mailbox was full or closed
    restarts: int = 0


class System:
    """Counts by actor kind, and the strong references that asyncio does not keep.

    Args:
        drain_s: How long a stop waits for the children of an actor when it names no time itself.
        grace_s: How long a killed actor may take to clean up before it is given up.

    """

    def __init__(self, *, drain_s: float = 5.0, grace_s: float = 0.5) -> None:
        self.drain_s = drain_s
        self.grace_s = grace_s
        self.counts: defaultdict[str, Counts] = defaultdict(Counts)
        self.tasks: set[asyncio.Task[Any]] = set()
        self._name = uuid4().hex
        self._numbers = count(1)

    def urn(self) -> str:
        """A name for one actor among all of all systems."""
        return f"urn:perplexica:{self._name}:{next(self._numbers)}"

    def run(self, work: Coroutine[Any, Any, T], name: str) -> asyncio.Task[T]:
        """A task that is kept until it is done."""
        task = asyncio.get_running_loop().create_task(work, name=name)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task

    @staticmethod
    def now() -> float:
        """Seconds on the loop's clock, which tests may run at their own pace."""
        return asyncio.get_running_loop().time()
