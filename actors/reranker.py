"""Orders what was found."""

import functools
from typing import ClassVar

import structlog

from actors.base import Actor, on
from protocol.messages import Rerank, Reranked
from protocol.values import ModelChoice
from providers.catalogue import LOCAL
from providers.service import Providers
from retrieval.service import Retrieval

log = structlog.get_logger(__name__)


class Reranker(Actor):
    """Keeps the nodes that are closest to the query."""

    mailbox_bound: ClassVar[int] = 1

    def __init__(self, retrieval: Retrieval, providers: Providers) -> None:
        super().__init__()
        self._retrieval = retrieval
        self._providers = providers

    @on(Rerank)
    async def rerank(self, message: Rerank) -> Reranked:
        """Reply with the best nodes, closest first."""
        best = await self._retrieval.rank(
            message.query,
            message.nodes,
            message.focus_mode,
            message.optimization_mode,
            functools.partial(self._providers.embed, message.model),
            remember_as=self._remember_as(message.model),
        )
        log.debug("rerank.finished", nodes_in=len(message.nodes), nodes_out=len(best))
        return Reranked(best)

    @staticmethod
    def _remember_as(model: ModelChoice) -> ModelChoice | None:
        """The model, where its vectors cost a call; a name left open may mean another later."""
        return model if model.model and model.provider != LOCAL else None
