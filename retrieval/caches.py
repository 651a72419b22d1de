"""All that retrieval remembers: one cache a kind of value, within the bounds of the settings."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from protocol.settings import Cache as CacheSettings
from retrieval import lazy, remembered_backend, searxng
from retrieval.cache import Bounds, Cache, CacheCounts
from retrieval.pages import content

if TYPE_CHECKING:
    from retrieval.postprocessor import Vectors


class Caches:
    """The caches, which whoever asks others is handed.

    Attributes:
        results: What SearXNG found.
        nodes: What other backends found.
        news: What SearXNG found for the page of news.
        pages: Pages of the web, read.
        vectors: Vectors of texts.

    """

    def __init__(
        self, settings: CacheSettings, clock: Callable[[], float] = time.monotonic
    ) -> None:
        def bounds(keep_s: int) -> Bounds:
            return Bounds(settings.entries, settings.size_bytes, keep_s)

        search, news = bounds(settings.search_s), bounds(settings.discover_s)
        vectors = bounds(settings.embedding_s)
        self.results = Cache(search, clock=clock, weigh=searxng.weight)
        self.nodes = Cache(search, clock=clock, weigh=remembered_backend.weight)
        self.news = Cache(news, clock=clock, weigh=searxng.weight)
        self.pages = Cache(bounds(settings.page_s), clock=clock, weigh=content.weight)
        self.vectors: Cache[Vectors] = Cache(vectors, clock=clock, weigh=lazy.vector_weight)

    def counts(self) -> dict[str, CacheCounts]:
        """What became of the askers of each."""
        named: dict[str, Cache[Any]] = {
            "results": self.results,
            "nodes": self.nodes,
            "news": self.news,
            "pages": self.pages,
            "vectors": self.vectors,
        }
        return {name: cache.counts for name, cache in named.items()}
