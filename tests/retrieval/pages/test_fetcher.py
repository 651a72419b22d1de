"""A page that may come in a moment is fetched once more."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from protocol.errors import PageUnreadable
from protocol.settings import Pages
from retrieval.pages.fetcher import MOST_PIECES, PIECES_AT_ONCE, Fetcher, next_address
from upstreams.retry import Retry
from upstreams.tally import Tally

LINK = "https://a.example/x"


class Site(httpx.AsyncBaseTransport):
    """Fails once as it is told, then has its page."""

    def __init__(self, first: httpx.Response | Exception) -> None:
        self.asked = 0
        self._first = first

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The next reply."""
        self.asked += 1
        if self.asked > 1:
            return httpx.Response(200, stream=httpx.ByteStream(b"well"))
        if isinstance(self._first, Exception):
            raise self._first
        return self._first


@pytest.mark.parametrize("first", [httpx.Response(503), httpx.ReadError("x")])
async def test_failure_that_may_pass_is_asked_for_once_more(
    first: httpx.Response | Exception,
) -> None:
    """The page is read as if nothing had been, and the second try is counted."""
    site, retry = Site(first), Retry(1, Tally(), random=float)
    assert (await Fetcher(site, Pages(), retry).fetch(LINK)).body == b"well"
    assert retry.tally.told()["retried"] == {"pages": 1}


@pytest.mark.parametrize("first", [httpx.Response(404), httpx.ReadTimeout("x")])
async def test_failure_that_lasts_is_not(first: httpx.Response | Exception) -> None:
    """A page that is not there is not there."""
    site = Site(first)
    with pytest.raises(PageUnreadable):
        await Fetcher(site, Pages(), Retry(1, Tally(), random=float)).fetch(LINK)
    assert site.asked == 1


class Crumbs(httpx.AsyncByteStream):
    """A body whose pieces have all come, a byte each."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for _ in range(MOST_PIECES):
            yield b"x"


async def test_others_go_on_while_a_page_comes_in_crumbs() -> None:
    """Pieces that are there already are not taken all at once."""
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    beside = asyncio.create_task(other())
    fetched = await Fetcher(Site(httpx.Response(200, stream=Crumbs())), Pages()).fetch(LINK)
    beside.cancel()
    assert len(fetched.body) == MOST_PIECES
    assert turns >= MOST_PIECES // PIECES_AT_ONCE


@pytest.mark.parametrize(
    ("link", "location", "leads_to"),
    [
        (LINK, "/y", "https://a.example/y"),
        (LINK, "//b.example/y", "https://b.example/y"),
        (LINK, "https://b.example:8443/y", "https://b.example:8443/y"),
        ("http://a.example/", "http://b.example/", "http://b.example/"),
        ("http://a.example/", "https://b.example/", "https://b.example/"),
    ],
)
def test_a_redirect_leads_on(link: str, location: str, leads_to: str) -> None:
    """To the same site or another, and up to https."""
    moved = httpx.Response(302, headers={"Location": location})
    assert next_address(httpx.URL(link), moved) == leads_to


@pytest.mark.parametrize(
    ("link", "location"),
    [
        *((LINK, "http://a.example/x"), (LINK, "ftp://a.example/"), (LINK, "https://me@a.example/")),
        *((LINK, "file:///etc/passwd"), ("http://a.example/", "https://:secret@a.example/")),
        *((LINK, "javascript:alert(1)"), (LINK, "data:text/plain,x")),
    ],
)  # fmt: skip
def test_a_redirect_does_not_lead_astray(link: str, location: str) -> None:
    """Never down to http, to another scheme, or to a login."""
    moved = httpx.Response(302, headers={"Location": location})
    with pytest.raises(PageUnreadable, match="cannot be used"):
        next_address(httpx.URL(link), moved)
