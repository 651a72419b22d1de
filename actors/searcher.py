"""Finds: first the query, then the nodes."""

from typing import ClassVar

import structlog

from actors.base import Actor, on
from protocol.messages import Divide, Divided, Rephrase, Rephrased, Search, SearchFinished
from providers.service import Providers
from retrieval.service import Retrieval

log = structlog.get_logger(__name__)


class Searcher(Actor):
    """Makes a query of a question, and asks the search backends."""

    mailbox_bound: ClassVar[int] = 1

    def __init__(self, retrieval: Retrieval, providers: Providers) -> None:
        super().__init__()
        self._retrieval = retrieval
        self._providers = providers

    @on(Rephrase)
    async def rephrase(self, message: Rephrase) -> Rephrased:
        """Ask the chat model for a query; without one the question itself is the query."""
        if not self._providers.has_model(message.model):
            return self._retrieval.unrephrased(message.focus_mode, message.question)
        await self._retrieval.ready()
        prompt = self._retrieval.rephrase_prompt(
            message.focus_mode, message.question, message.history
        )
        reply = await self._providers.complete(message.model, prompt, temperature=0)
        return self._retrieval.parse_rephrased(
            message.focus_mode, reply, message.question, message.history
        )

    @on(Divide)
    async def divide(self, message: Divide) -> Divided:
        """Ask the chat model for queries; without one the query stays as it is."""
        if not self._providers.has_model(message.model):
            return Divided((message.query,))
        await self._retrieval.ready()
        prompt = self._retrieval.division_prompt(message.query)
        reply = await self._providers.complete(message.model, prompt, temperature=0)
        return Divided(self._retrieval.parse_divided(reply, message.query))

    @on(Search)
    async def search(self, message: Search) -> SearchFinished:
        """Reply with what the first backend that answered has found."""
        found = await self._retrieval.search(message.query, message.focus_mode)
        log.debug("search.finished", backend=found.backend, nodes_out=len(found.nodes))
        return found
