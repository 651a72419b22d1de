"""Remembers what was costly to get: bounded in number, size and time."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

import msgspec

from protocol.base import Value

V = TypeVar("V")
S = TypeVar("S")


class Bounds(Value, frozen=True):
    """How much is kept and for how long; no seconds keep nothing."""

    entries: int
    size_bytes: int
    keep_s: float


class CacheCounts(msgspec.Struct):
    """What became of the askers; ``shared`` waited for a call that was under way already."""

    hits: int = 0
    misses: int = 0
    shared: int = 0


class Kept(Value, Generic[V], frozen=True):
    """A value, its size in bytes, and the time from which on it is stale."""

    value: V
    size: int
    until: float


class Call(msgspec.Struct):
    """A call under way, and how many wait for it."""

    task: asyncio.Task[Any]
    askers: int = 0


class Cache(Generic[V]):
    """Keeps values by key; the one that was not asked for longest goes first.

    A key must name all that the value depends on: whatever belongs to one user only has no place
    here, unless the user is part of the key. Values are shared, so they must not be changed.
    """

    def __init__(
        self, bounds: Bounds, *, clock: Callable[[], float], weigh: Callable[[V], int]
    ) -> None:
        self.counts = CacheCounts()
        self._bounds = bounds
        self._clock = clock
        self._weigh = weigh
        self._kept: OrderedDict[Hashable, Kept[V]] = OrderedDict()
        self._calls: dict[Hashable, Call] = {}
        self._size = 0

    async def get(self, key: Hashable, make: Callable[[], Coroutine[Any, Any, V]]) -> V:
        """The value of a key, made by ``make`` where none is fresh.

        Askers of one key share a call; it is cancelled when the last of them has left. What
        ``make`` raises is raised for each of them, and nothing is kept.
        """
        kept = self.find(key)
        if kept is not None:
            return kept.value

        async def make_and_keep() -> V:
            value = await make()
            self.keep(key, value)
            return value

        return await self.share(key, make_and_keep)

    async def share(self, key: Hashable, make: Callable[[], Coroutine[Any, Any, S]]) -> S:
        """What ``make`` returns, called once for all who ask for the key meanwhile; not kept."""
        call = self._calls.get(key)
        if call is None:
            call = self._begin(key, make)
        else:
            self.counts.shared += 1
        call.askers += 1
        try:
            value: S = await asyncio.shield(call.task)
        finally:
            call.askers -= 1
            if not call.askers:
                self._abandon(key, call)
            del call  # a failure knows this frame, and would wait with it for the collector
        return value

    def find(self, key: Hashable) -> Kept[V] | None:
        """What is kept of a key and still fresh; counted as a hit or a miss."""
        kept = self._kept.get(key)
        if kept is None or self._clock() >= kept.until:
            self._drop(key)
            self.counts.misses += 1
            return None
        self._kept.move_to_end(key)
        self.counts.hits += 1
        return kept

    def keep(self, key: Hashable, value: V) -> None:
        """Keep a value; one that weighs nothing, or more than all the room, is not kept.

        Nothing found may only mean that nobody answered in time.
        """
        self._drop(key)
        size = self._weigh(value)
        if not 0 < size <= self._bounds.size_bytes or not self._bounds.keep_s:
            return
        self._kept[key] = Kept(value, size, self._clock() + self._bounds.keep_s)
        self._size += size
        while len(self._kept) > self._bounds.entries or self._size > self._bounds.size_bytes:
            self._drop(next(iter(self._kept)))

    def _drop(self, key: Hashable) -> None:
        dropped = self._kept.pop(key, None)
        if dropped is not None:
            self._size -= dropped.size

    def _begin(self, key: Hashable, make: Callable[[], Coroutine[Any, Any, Any]]) -> Call:
        task = asyncio.get_running_loop().create_task(make())
        call = self._calls[key] = Call(task)
        task.add_done_callback(lambda task: self._end(key, call, task))
        return call

    def _end(self, key: Hashable, call: Call, task: asyncio.Task[Any]) -> None:
        if self._calls.get(key) is call:
            del self._calls[key]
        if not task.cancelled():
            task.exception()  # looked at, so that a failure nobody waits for stays silent

    def _abandon(self, key: Hashable, call: Call) -> None:
        """Nobody waits any more; who comes now begins anew."""
        if not call.task.done():
            self._calls.pop(key, None)
            call.task.cancel()
