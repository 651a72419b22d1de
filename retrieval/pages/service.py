"""Reading of pages, put together as the settings want it."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple, Self

import httpx

from protocol.settings import Settings
from retrieval.cache import Cache
from retrieval.offload import Offload
from retrieval.pages.content import Page
from retrieval.pages.fetcher import Fetched, Fetcher
from retrieval.pages.found import FoundPages
from retrieval.pages.named import NamedPages
from retrieval.pages.network import CheckAddress, CheckedTransport
from retrieval.pages.reader import PageReader

ReadPage = Callable[[Fetched, int], Awaitable[Page]]


class PageService(NamedTuple):
    """The pages that questions name, and those that searches found."""

    named: NamedPages
    found: FoundPages
    reader: PageReader

    @classmethod
    def build(
        cls,
        settings: Settings,
        read: ReadPage,
        offload: Offload,
        check_address: CheckAddress,
        cache: Cache[Page],
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> Self:
        """As the settings want it.

        Args:
            settings: Limits, and how far quality goes.
            read: Takes the text out of what was fetched, within so many bytes.
            offload: Runs what computes in a thread.
            check_address: Told where a page is about to be fetched from.
            cache: Keeps pages for a while.
            transport: Stands in for the network.

        """
        limits, read_s = settings.pages, settings.limits.read_s
        network = transport or CheckedTransport(check_address, offload, connections=limits.at_once)
        reader = PageReader(
            Fetcher(network, limits),
            lambda fetched: read(fetched, limits.page_bytes),
            cache,
            within_s=min(read_s / 2, 2 * limits.page_s),  # half is for what is made of the pages
        )
        return cls(
            NamedPages(reader, offload, limits, within_s=read_s),
            FoundPages(reader, offload, most=settings.quality.pages),
            reader,
        )

    async def close(self) -> None:
        """Close all connections."""
        await self.reader.close()
