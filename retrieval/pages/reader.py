"""Reads one page of the web: fetches it, and takes its text out in a thread."""

import asyncio
import functools
import time
from collections.abc import Callable

import structlog

from protocol.errors import PageUnreadable
from retrieval.cache import Cache
from retrieval.offload import Offload
from retrieval.pages.content import Page, PageContent
from retrieval.pages.fetcher import Fetcher

log = structlog.get_logger(__name__)


class PageReader:
    """Reads any number of pages at once; the fetcher and the threads bound how many go on."""

    def __init__(
        self,
        fetcher: Fetcher,
        content: PageContent,
        offload: Offload,
        cache: Cache[Page],
        *,
        within_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fetcher = fetcher
        self._content = content
        self._offload = offload
        self._cache = cache
        self._within_s = within_s
        self._clock = clock

    async def read(self, link: str) -> Page:
        """The page at an address of the web; raises PageUnreadable, also after ``within_s``.

        It is remembered for a while, and read once for all who ask for it meanwhile.
        """
        return await self._cache.get(link, lambda: self._read(link))

    async def _read(self, link: str) -> Page:
        began = self._clock()
        try:
            async with asyncio.timeout(self._within_s):
                fetched = await self._fetcher.fetch(link)
                page = await self._offload(functools.partial(self._content.read, fetched))
        except TimeoutError as error:
            raise PageUnreadable("it did not come in time") from error
        duration_ms = round((self._clock() - began) * 1000)
        log.debug("page.read", pieces=len(page.pieces), duration_ms=duration_ms)
        return page

    async def close(self) -> None:
        """Close all connections."""
        await self._fetcher.close()
