"""Any search backend with a memory."""

from collections.abc import Sequence

from protocol.values import Node
from retrieval.backend import SearchBackend
from retrieval.cache import Cache

NODE_BYTES = 500  # of a node beside its text
Nodes = tuple[Node, ...]


class RememberedBackend:
    """Asks a backend, and for a while not again for the same; failures and nothing are not kept."""

    def __init__(self, backend: SearchBackend, cache: Cache[Nodes]) -> None:
        self.name = backend.name
        self._backend = backend
        self._cache = cache

    async def search(self, query: str, *, engines: Sequence[str], language: str) -> list[Node]:
        """As the backend's own; its nodes are values and may be shared."""

        async def ask() -> Nodes:
            return tuple(await self._backend.search(query, engines=engines, language=language))

        return list(await self._cache.get((query, tuple(engines), language), ask))


def weight(nodes: Nodes) -> int:
    """About how many bytes the nodes take; nothing for none."""
    return sum(NODE_BYTES + len(node.text) + len(node.title) + len(node.url) for node in nodes)
