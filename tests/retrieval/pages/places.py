"""Page readers on a network of their own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from protocol.settings import Limits, Pages, Quality, Settings
from retrieval.library.reader import DocumentReader
from retrieval.pages.network import CheckAddress, any_address
from retrieval.pages.service import PageService
from tests.retrieval.fakes import in_thread


@asynccontextmanager
async def pages(
    *,
    check: CheckAddress = any_address,
    limits: Pages | None = None,
    quality: Quality | None = None,
    read_s: float = 5,
) -> AsyncIterator[PageService]:
    """Readers as the program builds them."""
    settings = Settings(
        pages=limits or Pages(), quality=quality or Quality(), limits=Limits(read_s=read_s)
    )
    service = PageService.build(settings, DocumentReader(), in_thread, check)
    try:
        yield service
    finally:
        await service.close()
