"""Reads pages."""

import functools
from typing import ClassVar

import structlog

from actors.base import Actor, on
from protocol.messages import Deepen, Deepened, PagesRead, Read
from providers.service import Providers
from retrieval.service import Retrieval

log = structlog.get_logger(__name__)


class Reader(Actor):
    """Reads the pages that a question names, and those that a search found."""

    mailbox_bound: ClassVar[int] = 1

    def __init__(self, retrieval: Retrieval, providers: Providers) -> None:
        super().__init__()
        self._retrieval = retrieval
        self._providers = providers

    @on(Read)
    async def read(self, message: Read) -> PagesRead:
        """Reply with what the pages say, summed up by the chat model where there is one."""
        complete = functools.partial(self._providers.complete, message.model, temperature=0)
        has_model = self._providers.has_model(message.model)
        read = await self._retrieval.read_links(
            message.query, message.links, complete if has_model else None
        )
        log.debug("reading.finished", links=len(message.links), nodes_out=len(read.nodes))
        return read

    @on(Deepen)
    async def deepen(self, message: Deepen) -> Deepened:
        """Reply with passages of the best pages in place of what the search said of them."""
        deepened = await self._retrieval.deepen(message.query, message.nodes)
        log.debug("deepening.finished", pages=deepened.pages, nodes_out=len(deepened.nodes))
        return deepened
