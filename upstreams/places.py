"""A few places for work that may hang in its thread."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from protocol.offload import Offload

T = TypeVar("T")


class Places:
    """An ``Offload`` with a bound: work that nobody waits for any more keeps its place.

    So what hangs for ever takes a few threads at most, and others find theirs.
    """

    def __init__(self, offload: Offload, at_once: int) -> None:
        self._offload = offload
        self._free = asyncio.Semaphore(at_once)
        self._running: set[asyncio.Future[Any]] = set()

    async def __call__(self, work: Callable[[], T], /) -> T:
        """What ``work`` returns or raises, once there was a place for it."""
        await self._free.acquire()
        running = asyncio.ensure_future(self._offload(work))
        self._running.add(running)
        running.add_done_callback(self._finished)
        try:
            return await asyncio.shield(running)
        finally:
            del running  # a failure knows this frame, and would wait with it for the collector

    def _finished(self, running: "asyncio.Future[Any]") -> None:
        self._running.discard(running)
        self._free.release()
        if not running.cancelled():
            running.exception()  # looked at, so that work nobody waits for stays silent
