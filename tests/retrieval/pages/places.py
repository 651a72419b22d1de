"""Page readers on a network of their own."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from protocol.offload import Offload
from protocol.settings import Cache, Limits, Pages, Quality, Settings
from retrieval.caches import Caches
from retrieval.pages.service import PageService
from tests.retrieval.fakes import ReadHere, in_thread
from upstreams.addresses import Admits

T = TypeVar("T")


def any_address(host: str, address: str, port: int) -> bool:
    """Let every address through."""
    del host, address, port
    return True


class Stuck:
    """Threads that look names up, and hang over anything else."""

    async def __call__(self, work: Callable[[], T], /) -> T:
        """What the work gives, if it ends."""
        if "addresses_of" not in repr(work):
            await asyncio.Event().wait()
        return await in_thread(work)


@asynccontextmanager
async def pages(
    *,
    admits: Admits = any_address,
    limits: Pages | None = None,
    quality: Quality | None = None,
    read_s: float = 5,
    offload: Offload = in_thread,
) -> AsyncIterator[PageService]:
    """Readers as the program builds them."""
    settings = Settings(
        pages=limits or Pages(), quality=quality or Quality(), limits=Limits(read_s=read_s)
    )
    cache = Caches(Cache()).pages
    service = PageService.build(settings, ReadHere(offload).read_page, offload, admits, cache)
    try:
        yield service
    finally:
        await service.close()
