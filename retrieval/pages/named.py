"""The pages that a question names."""

import asyncio
from collections.abc import Sequence
from itertools import chain

import structlog

from protocol.base import Value
from protocol.errors import PageUnreadable
from protocol.messages import PagesRead
from protocol.offload import Offload
from protocol.settings import Pages
from retrieval.pages.content import Page
from retrieval.pages.digest import Complete, Digest
from retrieval.pages.links import SUMMARIZE
from retrieval.pages.reader import PageReader
from retrieval.side_by_side import side_by_side

log = structlog.get_logger(__name__)
SOURCES = 15  # of an answer
LINK_CHARS = 200
CUSHION = 0.9  # of the time to read: what was read must be on its way before the asker gives up


class Named(Value, frozen=True):
    """An address, and its page or why that could not be read."""

    link: str
    page: Page | None
    problem: str = ""


class NamedPages:
    """Reads the pages at the links of one question side by side, all within ``within_s``."""

    def __init__(
        self, reader: PageReader, offload: Offload, limits: Pages, *, within_s: float
    ) -> None:
        self._reader = reader
        self._offload = offload
        self._limits = limits
        self._within_s = within_s * CUSHION

    async def read(self, query: str, links: Sequence[str], complete: Complete | None) -> PagesRead:
        """What the pages say towards the query, page by page; no error becomes a source.

        Args:
            query: What is asked of them; ``summarize`` for all that they say.
            links: Addresses of the web. Over the limit they are left out, and the note says so.
            complete: Asks the chat model, if there is one.

        """
        asked = "" if query == SUMMARIZE else query
        ends_at = asyncio.get_running_loop().time() + self._within_s
        named = await side_by_side(self._name(link) for link in links[: self._limits.links])
        read = [(found.link, found.page) for found in named if found.page is not None]
        digest = Digest(asked, complete, self._offload, ends_at=ends_at)
        most = self._share(len(read), is_summed_up=complete is not None)
        told = await side_by_side(digest.nodes(link, page, most=most) for link, page in read)
        return PagesRead(
            tuple(chain.from_iterable(told)), note(named, left_out=len(links) - len(named))
        )

    def _share(self, pages: int, *, is_summed_up: bool) -> int:
        """How many sources each page may become."""
        share = max(1, SOURCES // max(1, pages))
        return min(share, self._limits.summaries) if is_summed_up else share

    async def _name(self, link: str) -> Named:
        try:
            return Named(link, await self._reader.read(link))
        except PageUnreadable as error:
            log.info("page.unreadable", problem=error.detail)
            return Named(link, None, error.detail)


def note(named: Sequence[Named], *, left_out: int) -> str:
    """What the reader should know: which pages could not be read, and whether some were not."""
    failed = [
        # As code, so that nothing in the address is taken for markup.
        f"`{found.link[:LINK_CHARS].replace('`', '')}` could not be read: {found.problem}."
        for found in named
        if found.page is None
    ]
    rest = [f"Only the first {len(named)} addresses were read."] if left_out else []
    return " ".join([*failed, *rest])
