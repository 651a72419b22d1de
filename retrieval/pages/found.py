"""The pages that a search found."""

import functools
from collections.abc import Sequence
from itertools import zip_longest
from urllib.parse import urldefrag

import structlog

from protocol.errors import PageUnreadable
from protocol.messages import Deepened
from protocol.offload import Offload
from protocol.values import Node
from retrieval import lazy
from retrieval.backend import is_web_address
from retrieval.pages.reader import PageReader
from retrieval.side_by_side import side_by_side

log = structlog.get_logger(__name__)
PIECES_OF_PAGE = 8  # those closest to the query; all pages' together are then ranked


class FoundPages:
    """Reads the best of the pages that a search found, side by side."""

    def __init__(self, reader: PageReader, offload: Offload, *, most: int) -> None:
        self._reader = reader
        self._offload = offload
        self._most = most

    async def read(self, query: str, nodes: Sequence[Node]) -> Deepened:
        """Passages of the first pages among the nodes, then the other nodes.

        A page that cannot be read, or has nothing of the query, is told by what the search said
        of it. The closest passage of each page comes before the second of any.
        """
        chosen = pages_of(nodes)[: self._most]
        read = await side_by_side(self._passages(query, node) for node in chosen)
        done = {page_of(p[0]) for p in read if p}
        in_turn = [node for row in zip_longest(*read) for node in row if node is not None]
        return Deepened((*in_turn, *(n for n in nodes if page_of(n) not in done)), len(done))

    async def _passages(self, query: str, node: Node) -> list[Node]:
        try:
            page = await self._reader.read(page_of(node))
        except PageUnreadable as error:
            log.debug("page.unreadable", problem=error.detail)
            return []
        choose = functools.partial(lazy.closest, query, page.pieces, PIECES_OF_PAGE)
        pieces = await self._offload(choose)
        return [Node(piece, node.title, node.url, img_src=node.img_src) for piece in pieces]


def pages_of(nodes: Sequence[Node]) -> list[Node]:
    """The first node of each page of the web, in their order."""
    first: dict[str, Node] = {}
    for node in nodes:
        if is_web_address(node.url):
            first.setdefault(page_of(node), node)
    return list(first.values())


def page_of(node: Node) -> str:
    """The address of its page, without the place in it."""
    return urldefrag(node.url).url
