"""Asks search backends in turn until one finds something."""

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Protocol

import structlog

from protocol.errors import SearchUnavailable
from protocol.messages import SearchFinished
from protocol.values import Node
from retrieval.backend import SearchBackend, with_content
from retrieval.library.backend import LibraryBackend
from retrieval.modes import FocusMode
from retrieval.race import Hedges, Race
from upstreams.breaker import NEVER, Breaker, BreakerPolicy, UpstreamHealth
from upstreams.diary import span
from upstreams.retry import once

log = structlog.get_logger(__name__)
CUSHION = 0.9  # of the search's time: the answer must be on its way before the asker gives up
# Of the time that is left, when others wait behind: SearXNG itself waits 3 s for a slow engine.
FIRST_SHARE = 0.75
FAIR_SHARE = 0.5  # of a search's time: a backend that got less has not shown that it is dead
UNAVAILABLE = "Searching did not work just now, and nothing was found."
ONLY_OWN = {  # by whether any other search worked
    False: "Searching did not work just now; these sources come with the program itself.",
    True: "The search found nothing; these sources come with the program itself.",
}


class Retrieve(Protocol):
    """How a backend is asked; in production through LlamaIndex (``retriever.retrieve``)."""

    def __call__(
        self, backend: SearchBackend, query: str, *, engines: Sequence[str], language: str
    ) -> Awaitable[list[Node]]:
        """What ``backend.search`` gives."""


class SearchChain:
    """Asks backends in turn until one finds something; the built-in documents come last."""

    def __init__(
        self,
        backends: Sequence[SearchBackend],
        last: SearchBackend,
        retrieve: Retrieve,
        *,
        language: str,
        within_s: float,
        description: str = "",
        policy: BreakerPolicy = NEVER,
        hedges: Hedges | None = None,
    ) -> None:
        """Take the backends in their order; without ``hedges`` one is asked after the other."""
        hedges = hedges or Hedges(once(), is_on=False)
        self.description = description
        self._backends = (*backends, last)
        self._last = last
        self.breakers = {b.name: Breaker(b.name, policy, hedges.clock) for b in self._backends}
        self._retrieve = retrieve
        self._language = language
        self._within_s = within_s * CUSHION
        self._clock = hedges.clock
        self._hedges = hedges

    async def search(self, query: str, mode: FocusMode) -> SearchFinished:
        """What the first backend that found anything found; never raises SearchUnavailable."""
        ends_at = self._clock() + self._within_s

        async def ask(backend: SearchBackend) -> list[Node] | None:
            share = 1.0 if backend is self._last else FIRST_SHARE
            return await self._ask(backend, query, mode, share * (ends_at - self._clock()))

        race = Race(self._backends[:-1], self._last, ask, self._hedges)
        found = await race.run()
        outcomes = race.outcomes
        if found is None:
            return SearchFinished((), "", "" if any(outcomes[:-1]) else UNAVAILABLE)
        nodes, backend = found
        note = ONLY_OWN[any(outcomes) or not outcomes] if backend is self._last else ""
        return SearchFinished(tuple(nodes), backend.name, note)

    def prepare(self) -> None:
        """Read the documents of the libraries; blocks."""
        for library in self._libraries():
            library.prepare()

    def health(self) -> list[UpstreamHealth]:
        """How its backends are, in their order."""
        return [self.breakers[backend.name].health() for backend in self._backends]

    async def close(self) -> None:
        """Stop what the backends have running."""
        for library in self._libraries():
            await library.close()

    def _libraries(self) -> list[LibraryBackend]:
        return [backend for backend in self._backends if isinstance(backend, LibraryBackend)]

    async def _ask(
        self, backend: SearchBackend, query: str, mode: FocusMode, allowance_s: float
    ) -> list[Node] | None:
        """The backend's nodes that have text; ``None`` when it failed, or is left alone."""
        breaker, latency = self.breakers[backend.name], self._hedges.latencies[backend.name]
        if not breaker.admits():
            return None
        began = self._clock()
        try:
            with span("search", backend=backend.name, query=query) as facts:
                async with asyncio.timeout(allowance_s):
                    nodes = await self._retrieve(
                        backend, query, engines=mode.engines, language=self._language
                    )
                facts["results"] = len(nodes)
        except TimeoutError:
            latency.unanswered(self._clock() - began)
            if allowance_s >= FAIR_SHARE * self._within_s:
                breaker.failed("no answer in time", timed_out=True)
            else:  # those before it have used up the time
                breaker.left()
            self._log_failure(SearchUnavailable(backend.name, "no answer in time"), backend, began)
            return None
        except SearchUnavailable as error:
            breaker.failed(str(error))
            self._log_failure(error, backend, began)
            return None
        except asyncio.CancelledError:
            latency.unanswered(self._clock() - began)
            breaker.left()
            raise
        latency.answered(self._clock() - began)
        breaker.succeeded()
        return with_content(nodes, title_when_empty=mode.title_when_empty)

    def _log_failure(self, error: SearchUnavailable, backend: SearchBackend, began: float) -> None:
        log.warning(
            "search.failed",
            backend=backend.name,
            key=error.key,
            problem=str(error),
            duration_ms=round((self._clock() - began) * 1000),
        )
