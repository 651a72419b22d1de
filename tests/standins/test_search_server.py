"""The search stand-in answers as SearXNG does; the web site serves what readers trip over."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest

from tests.standins.search_server import SearchServer
from tests.standins.website import Website


async def get(server: SearchServer | Website, path: str, **params: Any) -> httpx.Response:
    async with server, httpx.AsyncClient(base_url=server.url, trust_env=False) as client:
        return await client.get(path, params=params)


async def test_results_have_the_holes_of_real_life() -> None:
    """Twenty results, the same each time, some without url, some without content."""
    found = [
        (await get(SearchServer(), "/search", q="tides", format="json")).json()["results"]
        for _ in range(2)
    ]
    assert found[0] == found[1]
    assert len(found[0]) == 20
    assert {bool(result["url"]) for result in found[0]} == {True, False}
    assert {bool(result["content"]) for result in found[0]} == {True, False}


@pytest.mark.parametrize(
    ("json_format", "params", "status"),
    [
        (True, {"q": "tides", "format": "json"}, 200),
        (True, {"format": "json"}, 400),
        (False, {"q": "tides", "format": "json"}, 403),
        (True, {"q": "tides [[fake search fault=429]]", "format": "json"}, 429),
    ],
)
async def test_search_status(json_format: bool, params: dict[str, str], status: int) -> None:
    """The statuses are those of SearXNG, or what the query asks for."""
    reply = await get(SearchServer(json_format=json_format), "/search", **params)
    assert reply.status_code == status


@pytest.mark.parametrize(
    ("path", "status", "start"),
    [
        ("/", 200, b"<!doctype html>"),
        ("/page.pdf", 200, b"%PDF-1.4"),
        ("/moved", 301, b""),
        ("/nothing", 404, b"<h1>"),
    ],
)
async def test_website_serves_each_kind_of_page(path: str, status: int, start: bytes) -> None:
    """Pages, a PDF, redirects and a 404 are all there."""
    reply = await get(Website(), path)
    assert reply.status_code == status
    assert reply.content.startswith(start)


async def test_engines_that_are_suspended_are_named_and_find_nothing() -> None:
    """As a SearXNG that its engines have refused."""
    reply = await get(SearchServer(suspended=True), "/search", q="tides", format="json")
    assert reply.json()["results"] == []
    assert ["google", "Suspended: too many requests"] in reply.json()["unresponsive_engines"]


async def test_time_is_told_only_where_that_is_wanted() -> None:
    """By the clock of the service, which may be off."""
    server = SearchServer()
    assert "date" not in (await get(server, "/search", q="tides", format="json")).headers
    server.ahead_s = 3600
    told = (await get(server, "/search", q="tides", format="json")).headers["date"]
    ahead = parsedate_to_datetime(told) - datetime.now(UTC)
    assert timedelta(minutes=59) < ahead <= timedelta(minutes=60)
