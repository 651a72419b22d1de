"""Pictures, videos and news: one search each, and only what is complete of what it finds."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Protocol

import structlog

from protocol.base import Value
from protocol.errors import SearchUnavailable
from protocol.extras import Media, MediaKind, NewsItem
from protocol.settings import Discover
from retrieval.backend import MOST_TEXT, MOST_TITLE, is_web_address, plain
from retrieval.cache import Cache
from retrieval.rephrased import short_query
from retrieval.searxng import Result, Results

log = structlog.get_logger(__name__)

MOST_MEDIA = 10
NEWS_ENGINES = ("bing news",)


class ResultSearch(Protocol):
    """A search whose results are read field by field."""

    async def results(
        self, query: str, *, engines: Sequence[str] = (), language: str = "", page: int = 0
    ) -> Results:
        """What it found; raises SearchUnavailable."""


class MediaRow(Value, frozen=True):
    """One kind of media: who is asked, and which fields of a result become which of ours."""

    engines: tuple[str, ...]
    img_src: str
    iframe_src: str = ""


MEDIA: Mapping[MediaKind, MediaRow] = {
    "images": MediaRow(("bing images", "google images"), img_src="img_src"),
    "videos": MediaRow(("youtube",), img_src="thumbnail", iframe_src="iframe_src"),
}


class Gallery:
    """Finds what is shown beside an answer, and what the page of news shows.

    Args:
        search: Whom to ask; ``None`` where nothing of the kind is set up.
        discover: The topics and sites of the news.
        cache: Remembers each search for news that worked.
        within_s: How long one search may take.

    """

    def __init__(
        self,
        search: ResultSearch | None,
        discover: Discover,
        cache: Cache[Results],
        *,
        within_s: float,
    ) -> None:
        self._search = search
        self._cache = cache
        self._queries = [
            f"site:{site} {topic}" for topic in discover.topics for site in discover.sites
        ]
        self._within_s = within_s

    async def media(self, kind: MediaKind, query: str) -> tuple[Media, ...]:
        """At most ten, in the order of the search; raises SearchUnavailable."""
        row = MEDIA[kind]
        found = await self._results(short_query(query), row.engines)
        items = [read_media(result, row) for result in found]
        return tuple(item for item in items if item is not None)[:MOST_MEDIA]

    async def news(self) -> tuple[NewsItem, ...]:
        """What all searches together found, each address once.

        Raises:
            SearchUnavailable: None of the searches worked.

        """
        found = await asyncio.gather(*(self._news_of(query) for query in self._queries))
        worked = [results for results in found if results is not None]
        if self._queries and not worked:
            raise SearchUnavailable("SearXNG", "no search for news worked")
        items = [read_news(result) for results in worked for result in results]
        return tuple({item.url: item for item in items if item is not None}.values())

    async def _news_of(self, query: str) -> Results | None:
        try:
            return await self._cache.get(query, lambda: self._results(query, NEWS_ENGINES, page=1))
        except SearchUnavailable as error:
            log.warning("news.missed", key=error.key, problem=str(error))
            return None

    async def _results(self, query: str, engines: Sequence[str], *, page: int = 0) -> Results:
        if self._search is None:
            raise SearchUnavailable("SearXNG", "its address is not set")
        try:
            async with asyncio.timeout(self._within_s):
                return await self._search.results(query, engines=engines, page=page)
        except TimeoutError as error:
            raise SearchUnavailable("SearXNG", "no answer in time") from error


def read_media(result: Result, row: MediaRow) -> Media | None:
    """A picture or video; ``None`` where the title or an address is missing, or none of the web."""
    iframe_src = result.get(row.iframe_src, "").strip() if row.iframe_src else ""
    item = Media(
        result.get(row.img_src, "").strip(),
        result.get("url", "").strip(),
        plain(result.get("title"), MOST_TITLE),
        iframe_src,
    )
    addresses = [item.img_src, item.url, *([iframe_src] if row.iframe_src else [])]
    return item if item.title and all(map(is_web_address, addresses)) else None


def read_news(result: Result) -> NewsItem | None:
    """A piece of news; ``None`` without a title, or where an address is none of the web."""
    item = NewsItem(
        plain(result.get("title"), MOST_TITLE),
        plain(result.get("content"), MOST_TEXT),
        result.get("url", "").strip(),
        result.get("thumbnail", "").strip(),
    )
    complete = item.title and is_web_address(item.url) and is_web_address(item.thumbnail)
    return item if complete else None
