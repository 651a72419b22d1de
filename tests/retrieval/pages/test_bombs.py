"""Replies that want all of a reader's memory or time are given up."""

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator

import httpx
import pytest

from protocol.errors import PageUnreadable
from protocol.settings import Pages
from retrieval.pages.content import unpacked
from retrieval.pages.fetcher import MOST_PIECES, PIECES_AT_ONCE, Fetched, Fetcher
from tests.retrieval.pages.places import pages
from tests.standins.bombs import BombServer, packed

LIMITS = Pages(page_bytes=1_000_000, page_s=5)
LARGE, PACKING = "larger than 1000000 bytes", "compressed in a way that was not asked for"


@pytest.fixture
async def server() -> AsyncIterator[BombServer]:
    """A site that means harm."""
    async with BombServer() as started:
        yield started


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("br", PACKING),
        ("zstd", PACKING),
        ("unknown packing", PACKING),
        ("chunks without end", LARGE),
        ("gzip without end", LARGE),
        ("bytes without end", LARGE),
        ("a huge chunk", LARGE),
        ("a huge length", LARGE),
        ("small chunks without end", "too many pieces"),
        ("a chunk's length without end", "does not speak HTTP"),
        ("a head without end", "does not speak HTTP"),
    ],
)
async def test_a_reply_without_end_is_left(server: BombServer, name: str, words: str) -> None:
    """At the limit of bytes or pieces; what nobody asked for is not even unpacked."""
    async with pages(limits=LIMITS, read_s=20) as service:
        with pytest.raises(PageUnreadable, match=words):
            await service.reader.read(server.link(name))
    assert server.asked == [name]


@pytest.mark.parametrize(
    ("packing", "body", "words"),
    [
        ("gzip", packed(31, 20), LARGE),
        ("x-gzip", packed(31, 20), LARGE),
        ("deflate", packed(15, 20), LARGE),
        ("deflate", packed(-15, 20), LARGE),
        ("gzip, gzip", gzip.compress(packed(31, 20)), PACKING),
        ("deflate, gzip", gzip.compress(packed(15, 20)), PACKING),
        ("gzip", b"\x1f\x8b\x08 and no more", "broken"),
    ],
)
def test_what_unfolds_without_end_is_refused(packing: str, body: bytes, words: str) -> None:
    """Packed as it was asked for it is counted while it unfolds, packed twice it is refused."""
    with pytest.raises(PageUnreadable, match=words):
        unpacked(Fetched(body, "text/plain", "", packing), LIMITS.page_bytes)


@pytest.mark.parametrize("inner", [packed(31, 20), zlib.compress(packed(15, 20))])
def test_what_is_packed_twice_and_told_once_unfolds_once(inner: bytes) -> None:
    """What is inside stays as it is."""
    whole = Fetched(gzip.compress(inner), "text/plain", "", "gzip")
    assert unpacked(whole, LIMITS.page_bytes) == inner


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
    site = httpx.MockTransport(lambda _: httpx.Response(200, stream=Crumbs()))
    fetched = await Fetcher(site, Pages()).fetch("https://a.example/")
    beside.cancel()
    assert len(fetched.body) == MOST_PIECES
    assert turns >= MOST_PIECES // PIECES_AT_ONCE
