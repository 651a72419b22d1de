"""Reading of pages, put together as the settings want it."""

from typing import NamedTuple, Self

import httpx

from protocol.settings import Settings
from retrieval.cache import Cache
from retrieval.library.reader import DocumentReader
from retrieval.offload import Offload
from retrieval.pages.content import Page, PageContent
from retrieval.pages.fetcher import Fetcher
from retrieval.pages.found import FoundPages
from retrieval.pages.named import NamedPages
from retrieval.pages.network import CheckAddress, CheckedTransport
from retrieval.pages.reader import PageReader
from retrieval.places import Places

THREADS = 3  # that pages may hold, were they all made to be read for ever


class PageService(NamedTuple):
    """The pages that questions name, and those that searches found."""

    named: NamedPages
    found: FoundPages
    reader: PageReader

    @classmethod
    def build(
        cls,
        settings: Settings,
        documents: DocumentReader,
        offload: Offload,
        check_address: CheckAddress,
        cache: Cache[Page],
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> Self:
        """As the settings want it; ``transport`` stands in for the network."""
        limits, read_s = settings.pages, settings.limits.read_s
        network = transport or CheckedTransport(check_address, offload, connections=limits.at_once)
        content = PageContent(documents, most_bytes=limits.page_bytes)
        reader = PageReader(
            Fetcher(network, limits),
            content,
            Places(offload, THREADS),
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
