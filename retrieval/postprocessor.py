"""Hybrid ranking as a LlamaIndex node postprocessor."""

import asyncio
import functools
from collections.abc import Awaitable, Callable, Sequence

import numpy as np
import numpy.typing as npt
import structlog
from llama_index.core.async_utils import asyncio_run
from llama_index.core.postprocessor.types import BaseNodePostprocessor
from llama_index.core.schema import MetadataMode, NodeWithScore, QueryBundle
from pydantic import Field, SkipValidation

from protocol.errors import DeadlineExceeded, ServiceError
from protocol.offload import Offload
from retrieval.ranking import KEEP, Measure, hybrid

log = structlog.get_logger(__name__)
Vectors = npt.NDArray[np.floating]
Embed = Callable[[Sequence[str]], Awaitable[Vectors]]


class HybridRank(BaseNodePostprocessor):
    """Keeps the nodes closest to the query, by words and by vectors (``retrieval/ranking.py``).

    When nothing can be embedded within ``within_s`` seconds, the order is by words alone. The floor
    is for what comes unweighed from the web: a node with a score of its own was found by a search
    that weighs, such as the library's, and is only ordered.
    """

    embed: Embed = Field(exclude=True)
    offload: SkipValidation[Offload] = Field(exclude=True)
    measure: Measure = "cosine"
    floor: float | None = None
    keep: int = KEEP
    within_s: float | None = None

    @classmethod
    def class_name(cls) -> str:
        """The name under which LlamaIndex tells of it."""
        return "HybridRank"

    def _postprocess_nodes(
        self, nodes: list[NodeWithScore], query_bundle: QueryBundle | None = None
    ) -> list[NodeWithScore]:
        ranked: list[NodeWithScore] = asyncio_run(self._apostprocess_nodes(nodes, query_bundle))
        return ranked

    async def _apostprocess_nodes(
        self, nodes: list[NodeWithScore], query_bundle: QueryBundle | None = None
    ) -> list[NodeWithScore]:
        if query_bundle is None or not nodes:
            return nodes[: self.keep]
        query = query_bundle.query_str
        texts = [node.node.get_content(MetadataMode.NONE) for node in nodes]
        vectors = await self._vectors([query, *texts])
        rank = functools.partial(
            hybrid,
            query,
            texts,
            vectors,
            measure=self.measure,
            floor=self.floor,
            vouched=frozenset(i for i, node in enumerate(nodes) if node.score is not None),
            keep=self.keep,
        )
        ranked = await self.offload(rank)
        return [NodeWithScore(node=nodes[place].node, score=score) for place, score in ranked]

    async def _vectors(self, texts: list[str]) -> Vectors | None:
        try:
            async with asyncio.timeout(self.within_s):
                return await self.embed(texts)
        except (ServiceError, TimeoutError) as error:
            key = getattr(error, "key", DeadlineExceeded.key)
            log.warning("embedding.failed", key=key, texts=len(texts))
            return None
