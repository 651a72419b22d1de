"""Reading of pages, put together as the settings want it."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple, Self

import httpx

from protocol.offload import Offload
from protocol.settings import Settings
from retrieval.cache import Cache
from retrieval.pages.content import Page
from retrieval.pages.fetcher import Fetched, Fetcher
from retrieval.pages.found import FoundPages
from retrieval.pages.named import NamedPages
from retrieval.pages.reader import PageReader
from upstreams.addresses import Admits
from upstreams.late import LateTransport
from upstreams.retry import Retry

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
        admits: Admits,
        cache: Cache[Page],
        retry: Retry | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> Self:
        """As the settings want it.

        Args:
            settings: Limits, and how far quality goes.
            read: Takes the text out of what was fetched, within so many bytes.
            offload: Runs what computes in a thread.
            admits: Whether a page may be fetched from there: name, numeric address, port.
            cache: Keeps pages for a while.
            retry: Fetches again what may come then.
            transport: Stands in for the network.

        """
        limits, read_s = settings.pages, settings.limits.read_s

        def checked() -> httpx.AsyncBaseTransport:
            from upstreams.network import CheckedTransport  # noqa: PLC0415 - imports httpcore

            return CheckedTransport(admits, offload, connections=limits.at_once)

        network = transport or LateTransport(checked)
        reader = PageReader(
            Fetcher(network, limits, retry),
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
