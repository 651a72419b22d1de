"""A search for the question as it stands, while it is still being rephrased."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import structlog

from protocol.messages import SearchFinished
from retrieval.early import is_same_query, joined
from upstreams.diary import note
from upstreams.tally import Tally

log = structlog.get_logger(__name__)

Search = Callable[[str], Coroutine[Any, Any, SearchFinished]]


class EarlySearches:
    """Begins them where the settings want it, and counts what became of them."""

    def __init__(self, tally: Tally, *, is_on: bool) -> None:
        self._tally = tally
        self._is_on = is_on

    @asynccontextmanager
    async def begun(self, raw: str, search: Search) -> AsyncIterator[Search]:
        """How to search from now on; what was begun ends with the context.

        Args:
            raw: The question; nothing is begun for an empty one.
            search: Searches for a query.

        """
        if not self._is_on or not raw:
            yield search
            return
        self._count("started")
        task = asyncio.create_task(search(raw), name="early search")
        try:
            yield Early(raw, task, search, self._count).search
        finally:
            task.cancel()
            await asyncio.wait({task})

    def _count(self, what: str) -> None:
        self._tally.add("early", what)
        note("early search", what=what)
        log.debug("search.early", what=what)


class Early:
    """One such search, under way."""

    def __init__(
        self,
        raw: str,
        task: "asyncio.Task[SearchFinished]",
        search: Search,
        count: Callable[[str], None],
    ) -> None:
        self._raw = raw
        self._task = task
        self._search = search
        self._count = count
        self._is_used = False

    async def search(self, query: str) -> SearchFinished:
        """What is found for the query, with what fits of that which was found early.

        The same query is not searched again. Of another, an early search that is still under way
        when this one has ended is not waited for.
        """
        if is_same_query(self._raw, query):
            self._use()
            return await asyncio.shield(self._task)
        found = await self._search(query)
        if not self._task.done():
            return found
        both = joined(query, found, self._task.result())
        if both != found:
            self._use()
        return both

    def _use(self) -> None:
        if not self._is_used:
            self._is_used = True
            self._count("used")
