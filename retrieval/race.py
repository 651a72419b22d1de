"""Search backends asked in turn; where one is slower than usual, the next runs beside it."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import structlog

from protocol.values import Node
from retrieval.backend import SearchBackend
from upstreams.diary import note
from upstreams.latency import Latency
from upstreams.retry import Retry

log = structlog.get_logger(__name__)

Found = tuple[list[Node], SearchBackend]
Ask = Callable[[SearchBackend], Coroutine[Any, Any, list[Node] | None]]


class Hedges:
    """How long backends usually take, and how often one was asked because another took longer."""

    def __init__(self, retry: Retry, *, is_on: bool) -> None:
        """Prepare to count in the tally of ``retry``, by its clock."""
        self.clock = retry.clock
        self.latencies: defaultdict[str, Latency] = defaultdict(Latency)
        self._tally = retry.tally
        self._is_on = is_on

    def patience_s(self, backend: SearchBackend) -> float | None:
        """Seconds after which another is asked beside it; ``None`` where that is never done."""
        return self.latencies[backend.name].usual_s if self._is_on else None

    def asked(self, backend: SearchBackend) -> None:
        """It is asked while the one before is still busy."""
        self._tally.add("hedged", backend.name)
        note("hedged", backend=backend.name)
        log.info("search.hedged", backend=backend.name)

    def won(self, backend: SearchBackend) -> None:
        """It was, and has found something first."""
        self._tally.add("hedgesWon", backend.name)
        note("hedge won", backend=backend.name)


class Race:
    """One search. ``outcomes`` tells of each who found nothing whether it worked."""

    def __init__(
        self, backends: Sequence[SearchBackend], last: SearchBackend, ask: Ask, hedges: Hedges
    ) -> None:
        """Prepare to ask the backends, and ``last`` when none of them is busy any more."""
        self.outcomes: list[bool] = []
        self._waiting = [*backends, last]
        self._last = last
        self._ask = ask
        self._hedges = hedges
        self._hedged: list[SearchBackend] = []
        self._running: dict[asyncio.Task[list[Node] | None], SearchBackend] = {}

    async def run(self) -> Found | None:
        """The nodes that came first, and whose they are; ``None`` when nobody found any."""
        async with asyncio.TaskGroup() as group:
            while self._waiting or self._running:
                if not self._running:
                    self._start(group)
                await self._wait(group)
                found = self._first()
                if found is not None:
                    for task in self._running:
                        task.cancel()
                    return found
        return None

    def _start(self, group: asyncio.TaskGroup) -> SearchBackend:
        backend = self._waiting.pop(0)
        self._running[group.create_task(self._ask(backend))] = backend
        return backend

    async def _wait(self, group: asyncio.TaskGroup) -> None:
        """Until one has ended, or until it is time to ask the next beside the newest."""
        done, _ = await asyncio.wait(
            self._running, timeout=self._patience_s(), return_when=asyncio.FIRST_COMPLETED
        )
        if not done:
            hedge = self._start(group)
            self._hedged.append(hedge)
            self._hedges.asked(hedge)

    def _patience_s(self) -> float | None:
        may_hedge = self._waiting and self._waiting[0] is not self._last
        newest = list(self._running.values())[-1]
        return self._hedges.patience_s(newest) if may_hedge else None

    def _first(self) -> Found | None:
        """What one of those that have ended has found: of several, the first that was asked."""
        for task in [task for task in self._running if task.done()]:
            backend = self._running.pop(task)
            nodes = task.result()
            if nodes:
                if backend in self._hedged:
                    self._hedges.won(backend)
                return nodes, backend
            self.outcomes.append(nodes is not None)
        return None
