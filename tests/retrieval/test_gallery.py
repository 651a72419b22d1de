"""Media and news: whom to ask, and what of the results is complete enough to be shown."""

import asyncio
from collections.abc import Sequence

import pytest

from protocol.errors import SearchUnavailable
from protocol.extras import Media, MediaKind, NewsItem
from protocol.settings import Discover
from retrieval.cache import Bounds, Cache
from retrieval.gallery import Gallery
from retrieval.searxng import Result, Results, weight
from tests.clock import virtual

PAGE = "https://a.example/"
WHOLE = {
    "title": "T",
    "url": PAGE,
    "content": "c",
    "img_src": "https://i.example/1.png",
    "thumbnail": "https://i.example/2.png",
    "iframe_src": "https://v.example/3",
}
KEEPING = Bounds(entries=10, size_bytes=100_000, keep_s=60)


class Asked:
    """A search that gives what it was made with, by query; fails where there is nothing."""

    def __init__(self, found: dict[str, Results] | Results) -> None:
        self._found = found
        self.asked: list[tuple[str, tuple[str, ...], str, int]] = []

    async def results(
        self, query: str, *, engines: Sequence[str] = (), language: str = "", page: int = 0
    ) -> Results:
        """The results."""
        self.asked.append((query, tuple(engines), language, page))
        if isinstance(self._found, tuple):
            return self._found
        if query not in self._found:
            raise SearchUnavailable("searxng", "it answered with status 500")
        return self._found[query]


class Silent:
    """A search that never answers."""

    async def results(self, *_: object, **__: object) -> Results:
        """Nothing, ever."""
        await asyncio.Event().wait()
        return ()


def gallery(search: Asked | Silent | None, *topics: str) -> Gallery:
    cache: Cache[Results] = Cache(KEEPING, clock=lambda: 1.0, weigh=weight)
    discover = Discover(topics=topics, sites=("s.example",))
    return Gallery(search, discover, cache, within_s=5)


def results(*changes: Result) -> Results:
    return tuple({**WHOLE, **change} for change in changes)


@pytest.mark.parametrize(
    ("kind", "engines", "item"),
    [
        ("images", ("bing images", "google images"), Media("https://i.example/1.png", PAGE, "T")),
        (
            "videos",
            ("youtube",),
            Media("https://i.example/2.png", PAGE, "T", "https://v.example/3"),
        ),
    ],
)
async def test_each_kind_has_its_engines_and_fields(
    kind: MediaKind, engines: tuple[str, ...], item: Media
) -> None:
    """No language and no page, as the reference asks."""
    search = Asked((WHOLE,))
    assert await gallery(search).media(kind, "cats\n and  dogs") == (item,)
    assert search.asked == [("cats and dogs", engines, "", 0)]


async def test_at_most_ten_are_shown() -> None:
    """Those that the search has first; incomplete ones take no place."""
    found = results({"url": "//no"}, *({"title": str(n)} for n in range(20)))
    items = await gallery(Asked(found)).media("images", "q")
    assert [item.title for item in items] == [str(n) for n in range(10)]


@pytest.mark.parametrize(
    "change",
    [
        {"title": ""},
        {"title": " \x00 "},
        {"url": "javascript:alert(1)"},
        {"url": ""},
        {"thumbnail": "//i.example/1.png"},
        {"thumbnail": "data:image/png;base64,AAAA"},
        {"thumbnail": "/proxy?x"},
        {"iframe_src": "ftp://v.example"},
        {"iframe_src": "https://"},
    ],
)
async def test_what_is_incomplete_is_left_out(change: Result) -> None:
    """A title, and addresses that a browser can open by themselves."""
    assert await gallery(Asked(results(change))).media("videos", "q") == ()
    bare = tuple({key: WHOLE[key] for key in WHOLE if key not in change} for _ in range(1))
    assert await gallery(Asked(bare)).media("videos", "q") == ()


async def test_news_are_searched_by_topic_and_site() -> None:
    """One search each, on the first page; an address that came twice is shown once."""
    found = {
        "site:s.example AI": results({}, {"url": PAGE + "2"}),
        "site:s.example tech": results({}),
    }
    search = Asked(found)
    items = await gallery(search, "AI", "tech").news()
    assert items == (
        NewsItem("T", "c", PAGE, WHOLE["thumbnail"]),
        NewsItem("T", "c", PAGE + "2", WHOLE["thumbnail"]),
    )
    assert [asked[1:] for asked in search.asked] == [(("bing news",), "", 1)] * 2


async def test_news_are_remembered_where_the_search_worked() -> None:
    """A search that failed is tried again, the others are not."""
    search = Asked({"site:s.example AI": results({})})
    news = gallery(search, "AI", "tech")
    assert len(await news.news()) == len(await news.news()) == 1
    queries = [asked[0] for asked in search.asked]
    assert (queries.count("site:s.example AI"), queries.count("site:s.example tech")) == (1, 2)


@pytest.mark.parametrize("change", [{"thumbnail": "/x.png"}, {"title": ""}, {"url": "x"}])
async def test_news_without_picture_title_or_address_are_left_out(change: Result) -> None:
    """A relative picture would break the page that shows it."""
    assert await gallery(Asked(results(change)), "AI").news() == ()


async def test_a_text_that_is_missing_is_empty() -> None:
    """The page that shows it wants text."""
    bare = {key: WHOLE[key] for key in ("title", "url", "thumbnail")}
    assert [item.content for item in await gallery(Asked((bare,)), "AI").news()] == [""]


async def test_without_topics_there_are_no_news() -> None:
    """That is a choice and no failure."""
    assert await gallery(Asked({})).news() == ()


@pytest.mark.parametrize("search", [Asked({}), None])
async def test_no_search_that_works_is_an_error(search: Asked | None) -> None:
    """Of media as of news."""
    with pytest.raises(SearchUnavailable):
        await gallery(search).media("images", "q")
    with pytest.raises(SearchUnavailable):
        await gallery(search, "AI").news()


@virtual
async def test_a_search_that_hangs_is_given_up() -> None:
    """Within its time."""
    with pytest.raises(SearchUnavailable):
        await gallery(Silent()).media("images", "q")
    with pytest.raises(SearchUnavailable):
        await gallery(Silent(), "AI", "tech").news()
