"""What retrieval remembers is within the settings, counted, and asked for once."""

import asyncio
from collections.abc import Sequence

import httpx
import pytest

from protocol.errors import SearchUnavailable
from protocol.settings import Cache as CacheSettings
from protocol.values import Node
from retrieval.caches import Caches
from retrieval.remembered_backend import RememberedBackend
from retrieval.searxng import SearxngBackend
from tests.retrieval.fakes import Asked, node


class Time:
    """A clock that the test turns."""

    now = 0.0

    def __call__(self) -> float:
        """The time."""
        return self.now


class Searx:
    """A SearXNG that counts its requests; finds nothing, or is down, when told to."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.results: list[dict[str, str]] = [
            {"title": "T", "url": "https://a.example/", "content": "c"}
        ]
        self.status = 200

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """The reply."""
        self.asked.append(str(request.url.params))
        return httpx.Response(self.status, json={"results": self.results})

    def backend(self, caches: Caches) -> SearxngBackend:
        """The backend that asks it."""
        client = httpx.AsyncClient(transport=httpx.MockTransport(self))
        return SearxngBackend("http://s", client, timeout_s=1, cache=caches.results)


async def search(backend: SearxngBackend | RememberedBackend, *queries: str) -> list[list[Node]]:
    return [await backend.search(query, engines=("e",), language="en") for query in queries]


async def test_searches_are_remembered_for_as_long_as_the_settings_say() -> None:
    """And what became of each asker is counted."""
    clock, searx = Time(), Searx()
    caches = Caches(CacheSettings(search_s=60), clock)
    backend = searx.backend(caches)
    first, second, other = await search(backend, "a", "a", "b")
    assert first == second
    assert first is not second
    clock.now = 60
    await search(backend, "a")
    assert len(searx.asked) == 3
    assert (caches.counts()["results"].hits, caches.counts()["results"].misses) == (1, 3)
    assert other


async def test_whatever_is_asked_differently_is_another_search() -> None:
    """Engines, language and page are part of it."""
    searx = Searx()
    backend = searx.backend(Caches(CacheSettings(), Time()))
    await backend.results("q")
    await backend.results("q", engines=("e",))
    await backend.results("q", engines=("e", "f"))
    await backend.results("q", language="en")
    await backend.results("q", page=1)
    assert len(set(searx.asked)) == len(searx.asked) == 5


async def test_no_seconds_remember_nothing() -> None:
    """A setting for those who want each search fresh."""
    searx = Searx()
    await search(searx.backend(Caches(CacheSettings(search_s=0), Time())), "a", "a")
    assert len(searx.asked) == 2


async def test_failures_and_empty_results_are_not_kept() -> None:
    """Nothing found may only mean that the engines were too slow."""
    searx = Searx()
    backend = searx.backend(Caches(CacheSettings(), Time()))
    searx.results = []
    assert await search(backend, "a", "a") == [[], []]
    searx.status = 500
    for _ in range(2):
        with pytest.raises(SearchUnavailable):
            await search(backend, "a")
    assert len(searx.asked) == 4


async def test_any_backend_can_be_remembered() -> None:
    """Its name stays; its nodes are given in a list of their own each time."""
    asked = Asked("keyless", node("one"))
    backend = RememberedBackend(asked, Caches(CacheSettings(), Time()).nodes)
    first, second = await search(backend, "a", "a")
    first.clear()
    assert (backend.name, second, len(asked.asked)) == ("keyless", [node("one")], 1)
    assert (await search(backend, "a"))[0] == [node("one")]


async def test_many_askers_make_one_search() -> None:
    """However many ask at once."""

    class Slow:
        name = "slow"
        asked = 0

        async def search(self, query: str, *, engines: Sequence[str], language: str) -> list[Node]:
            self.asked += 1
            await asyncio.sleep(0)
            return [node(query)]

    slow = Slow()
    backend = RememberedBackend(slow, Caches(CacheSettings(), Time()).nodes)
    found = await asyncio.gather(*(search(backend, "a") for _ in range(100)))
    assert (slow.asked, len(found)) == (1, 100)
