"""What a page says towards a question: summed up by a model, or in its own words."""

import asyncio
import functools
import math
from collections.abc import Awaitable, Callable, Sequence
from itertools import pairwise

import structlog

from protocol.errors import ServiceError
from protocol.offload import Offload
from protocol.values import Node, Prompt
from retrieval import lazy
from retrieval.pages.content import Page
from retrieval.rephrased import without_thoughts
from retrieval.side_by_side import side_by_side

log = structlog.get_logger(__name__)
PIECES_OF_SUMMARY = 10
SUMMARY_CHARS = 4_000
SILENT = "nothing_relevant"
# Whoever asks has named the page, so no floor of similarity may drop it (``HybridRank``).
VOUCHED = 1.0

Complete = Callable[[Prompt], Awaitable[str]]


class Digest:
    """Makes nodes of pages, towards one question and within one stretch of time."""

    def __init__(
        self, asked: str, complete: Complete | None, offload: Offload, *, ends_at: float
    ) -> None:
        """``asked`` is empty for all that a page says; ``ends_at`` is a time of the event loop."""
        self._asked = asked
        self._complete = complete
        self._offload = offload
        self._ends_at = ends_at

    async def nodes(self, link: str, page: Page, *, most: int) -> list[Node]:
        """At least one node of the page and at most ``most``, in its order.

        With a model each sums up ten pieces; without one each is a piece.
        """
        title = page.title or link
        told = await self._told(title, page.pieces, most)
        return [Node(text, title, link, VOUCHED) for text in told]

    async def _told(self, title: str, pieces: Sequence[str], most: int) -> list[str]:
        if self._complete is None:
            return await self._telling(pieces, most)
        chosen = await self._telling(pieces, most * PIECES_OF_SUMMARY)
        groups = grouped(chosen, PIECES_OF_SUMMARY)
        texts = await side_by_side(self._summed_up(self._complete, title, g) for g in groups)
        return [text for text in texts if text] or chosen[:1]

    async def _telling(self, pieces: Sequence[str], most: int) -> list[str]:
        return await self._offload(functools.partial(lazy.telling, self._asked, pieces, most))

    async def _summed_up(self, complete: Complete, title: str, group: Sequence[str]) -> str:
        """What a group says; how it begins when the model fails; empty when nothing fits."""
        whole = "\n\n".join(group)
        prompt = lazy.summary_prompt(self._asked, title, whole)
        try:
            async with asyncio.timeout_at(self._ends_at):
                reply = await complete(prompt)
        except (ServiceError, TimeoutError) as error:
            log.warning("summary.failed", key=getattr(error, "key", "DEADLINE_EXCEEDED"))
            reply = ""
        said = without_thoughts(reply).strip()
        return "" if SILENT in said.lower() else (said or whole)[:SUMMARY_CHARS]


def grouped(pieces: Sequence[str], most: int) -> list[Sequence[str]]:
    """Neighbours together, in as few groups of like size as have at most ``most`` pieces each."""
    count = math.ceil(len(pieces) / most)
    bounds = [place * len(pieces) // count for place in range(count + 1)] if count else []
    return [pieces[start:end] for start, end in pairwise(bounds)]
