"""Reads one page of the web: fetches it, and has its text taken out."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import structlog

from protocol.errors import PageUnreadable
from retrieval.cache import Cache
from retrieval.pages.content import Page
from retrieval.pages.fetcher import Fetched, Fetcher
from retrieval.pages.links import host_of
from upstreams.diary import note, span
from upstreams.recorded import recorded

ReadBody = Callable[[Fetched], Awaitable[Page]]

log = structlog.get_logger(__name__)


class PageReader:
    """Reads any number of pages at once; the fetcher and ``read`` bound how many go on."""

    def __init__(
        self,
        fetcher: Fetcher,
        read: ReadBody,
        cache: Cache[Page],
        *,
        within_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fetcher = fetcher
        self._read_body = read
        self._cache = cache
        self._within_s = within_s
        self._clock = clock

    async def read(self, link: str) -> Page:
        """The page at an address of the web; raises PageUnreadable, also after ``within_s``.

        It is remembered for a while, and read once for all who ask for it meanwhile.
        """
        with span("page", host=host_of(link)) as facts:
            page = await recorded("page", link, lambda: self._known(link), Page)
            facts["pieces"] = len(page.pieces)
            return page

    async def _known(self, link: str) -> Page:
        return await self._cache.get(link, lambda: self._read(link))

    async def _read(self, link: str) -> Page:
        began = self._clock()
        try:
            async with asyncio.timeout(self._within_s):
                fetched = await self._fetcher.fetch(link)
                note("fetched", host=host_of(link), bytes=len(fetched.body))
                page = await self._read_body(fetched)
        except TimeoutError as error:
            raise PageUnreadable("it did not come in time") from error
        duration_ms = round((self._clock() - began) * 1000)
        log.debug("page.read", pieces=len(page.pieces), duration_ms=duration_ms)
        return page

    async def close(self) -> None:
        """Close all connections."""
        await self._fetcher.close()
