"""Keyless search: a blocking library in a thread, with a deadline."""

import asyncio
import logging
import threading
from typing import Any

import pytest

from protocol.errors import SearchUnavailable
from protocol.values import Node
from retrieval.keyless import KeylessBackend, fetch_results, region
from tests.retrieval.fakes import in_thread


async def test_results_become_nodes() -> None:
    """Href and body are what others call url and content."""

    def fetch(query: str, language: str) -> list[dict[str, Any]]:
        return [{"title": query, "href": "https://a.example", "body": language}, {"title": "x"}]

    found = await KeylessBackend(in_thread, fetch).search("q", engines=(), language="en")
    assert found == [Node("en", "q", "https://a.example")]


async def test_a_hanging_search_is_cut_off() -> None:
    """The deadline holds although the thread does not return."""
    released = threading.Event()

    def fetch(query: str, language: str) -> list[dict[str, Any]]:
        released.wait(5)
        return []

    backend = KeylessBackend(in_thread, fetch, timeout_s=0.01)
    with pytest.raises(SearchUnavailable, match="in time"):
        await backend.search("q", engines=(), language="en")
    released.set()


async def test_hanging_threads_keep_their_places() -> None:
    """At most so many threads hang at once; further searches wait and give up without one."""
    released = threading.Event()
    started: list[str] = []

    def fetch(query: str, language: str) -> list[dict[str, Any]]:
        started.append(query)
        released.wait(5)
        return []

    backend = KeylessBackend(in_thread, fetch, timeout_s=0.05, at_once=2)
    searches = [backend.search(str(i), engines=(), language="en") for i in range(5)]
    results = await asyncio.gather(*searches, return_exceptions=True)
    released.set()
    assert all(isinstance(result, SearchUnavailable) for result in results)
    assert len(started) == 2


async def test_a_place_is_free_again_after_a_failure() -> None:
    """Failed searches use up no places."""

    def fetch(query: str, language: str) -> list[dict[str, Any]]:
        raise SearchUnavailable("keyless", "test")

    backend = KeylessBackend(in_thread, fetch, at_once=1)
    for _ in range(3):
        with pytest.raises(SearchUnavailable, match="test"):
            await backend.search("q", engines=(), language="en")


@pytest.mark.parametrize("proxy", ["http://127.0.0.1:9", "nonsense", "socks9://x"])
def test_the_library_takes_what_we_call(proxy: str) -> None:
    """The real library is there; a proxy that refuses, or is none, stands for no network."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("DDGS_PROXY", proxy)
        with pytest.raises(SearchUnavailable, match=r"cannot be|in time"):
            fetch_results("lighthouse", "en")
    assert logging.getLogger("ddgs").getEffectiveLevel() >= logging.ERROR


@pytest.mark.parametrize(
    ("language", "expected"),
    [("en", "us-en"), ("de", "de-de"), ("zh-CN", "zh-zh"), ("all", "us-en"), ("", "us-en")],
)
def test_languages_become_regions(language: str, expected: str) -> None:
    """Whatever the setting says, the library gets what it can split."""
    assert region(language) == expected
