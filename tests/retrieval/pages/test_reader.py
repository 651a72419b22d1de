"""Pages read from a site of our own, whatever it sends."""

import asyncio

import pytest

from protocol.errors import PageUnreadable
from protocol.settings import Pages
from retrieval.pages.content import Page
from tests.retrieval.pages.places import Stuck, pages
from tests.standins.faults import Fault
from tests.standins.website import CYRILLIC, LATIN, TEXT, Website

SENTENCE = "The lighthouse at Harbour Point is 41 metres tall."


async def read(link: str, limits: Pages | None = None, read_s: float = 10) -> Page:
    async with pages(limits=limits, read_s=read_s) as service:
        return await service.reader.read(link)


async def problem(link: str, limits: Pages | None = None, read_s: float = 10) -> str:
    with pytest.raises(PageUnreadable) as caught:
        await read(link, limits, read_s)
    return caught.value.detail


@pytest.mark.parametrize(
    ("path", "title", "says"),
    [
        ("/", "Tides & lighthouses", SENTENCE),
        ("/packed", "Tides & lighthouses", SENTENCE),
        ("/page.txt", "", TEXT.decode().strip()),
        ("/page.pdf", "", SENTENCE),
        ("/unnamed", "", "The lighthouse is 41 metres tall."),
        ("/twice", "", TEXT.decode().strip()),
        ("/notitle", "", "no title at all"),
        ("/cyrillic", "", CYRILLIC),
        ("/latin", "", LATIN),
        ("/#top", "Tides & lighthouses", SENTENCE),
    ],
)
async def test_a_page_is_read(site: Website, path: str, title: str, says: str) -> None:
    """HTML, text and PDF; compressed, moved, unnamed, in its own letters."""
    page = await read(f"{site.url}{path}")
    assert page.title == title
    assert says in "\n".join(page.pieces)
    assert "track()" not in str(page)
    assert "All rights reserved" not in str(page)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/missing", "status 404"),
        ("/loop", "redirects too often"),
        ("/away", "redirects to an address"),
        ("/nowhere", "redirects to an address"),
        ("/picture", "type image/png"),
        ("/empty", "no text"),
        ("/broken.pdf", "no readable PDF"),
        ("/bomb", "larger than 10000000 bytes"),
        ("/brotli", "compressed in a way"),
    ],
)
async def test_what_cannot_be_read_is_told_why(site: Website, path: str, words: str) -> None:
    """One error, in words of ours, that a reader can be shown."""
    assert words in await problem(f"{site.url}{path}")


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Fault.reset(), "broke off"),
        (Fault.reset(at=1), "broke off"),
        (Fault.garbage(), "HTTP"),
        (Fault.truncate(at=1), "HTTP"),
        (Fault.hang(), "in time"),
        (Fault.hang(at=1), "in time"),
        (Fault.status(503), "status 503"),
    ],
)
async def test_a_site_that_fails_fails_alone(site: Website, fault: Fault, words: str) -> None:
    """Whatever breaks on the way is the same kind of error, within its time."""
    site.fault("page", fault)
    said = await problem(f"{site.url}/page.txt", Pages(page_s=0.3))
    assert words in said or said == "it does not speak HTTP properly"


@pytest.mark.parametrize(
    "link",
    [
        *("http://127.0.0.1:1/", "http://no.such.host.invalid/"),
        *("http://a..b/", "http://x:99999/", "http://[127.0.0.1]/"),
    ],
)
async def test_what_is_nowhere_cannot_be_reached(link: str) -> None:
    """Closed ports and names that nobody has, or that are none."""
    assert await problem(link, Pages(page_s=2)) in {
        "it cannot be reached",
        "it did not answer in time",
        "its address cannot be used",
    }


async def test_bytes_are_counted_as_they_come(site: Website) -> None:
    """A page over the limit is left at the limit."""
    assert "larger than 1000 bytes" in await problem(f"{site.url}/long", Pages(page_bytes=1000))


async def test_types_are_a_setting(site: Website) -> None:
    """What is not listed is not read."""
    limits = Pages(types=("text/plain",))
    assert "type text/html" in await problem(f"{site.url}/", limits)
    assert (await read(f"{site.url}/page.txt", limits)).pieces


async def test_redirects_are_a_setting(site: Website) -> None:
    """With one less than the page needs it is not read."""
    assert "too often" in await problem(f"{site.url}/twice", Pages(redirects=1))


async def test_reading_has_its_own_deadline(site: Website) -> None:
    """Also where the fetcher would wait longer."""
    site.fault("page", Fault.hang())
    assert "in time" in await problem(f"{site.url}/page.txt", read_s=0.2)
    assert (await site.closed_early(about="/page.txt")).path == "/page.txt"


async def test_every_address_is_checked_where_it_is_connected_to(site: Website) -> None:
    """The check sees numbers, also behind a name."""
    seen: list[tuple[str, int]] = []

    def admits(host: str, address: str, port: int) -> bool:
        seen.append((address, port))
        return False

    port = int(site.url.rpartition(":")[2])
    async with pages(admits=admits) as service:
        for host in ("127.0.0.1", "localhost", "2130706433", "0x7f000001"):
            with pytest.raises(PageUnreadable, match="not one of the open web"):
                await service.reader.read(f"http://{host}:{port}/")
    assert {address for address, _ in seen} <= {"127.0.0.1", "::1"}
    assert {where for _, where in seen} == {port}
    assert not site.record.exchanges


async def test_a_redirect_is_checked_like_any_other_address(site: Website) -> None:
    """Each hop connects through the same check."""
    seen: list[str] = []

    def admits(host: str, address: str, port: int) -> bool:
        seen.append(address)
        return True

    async with pages(admits=admits) as service:
        await service.reader.read(f"{site.url}/twice")
    assert seen == ["127.0.0.1"] * 3


async def test_sites_learn_nothing_from_each_other(site: Website) -> None:
    """No cookie, login or referrer goes along."""
    await read(f"{site.url}/twice")
    for exchange in site.record.exchanges:
        assert not {"cookie", "authorization", "referer"} & set(exchange.headers)
        assert exchange.headers["accept-encoding"] == "gzip, deflate"


async def test_a_link_that_logs_somebody_in_is_not_followed(site: Website) -> None:
    """Nobody who means well writes one, and parsers differ about where its host begins."""
    assert "cannot be used" in await problem(site.url.replace("http://", "http://me:secret@"))
    assert not site.record.exchanges


async def test_pages_wait_for_a_place(site: Website) -> None:
    """No more than the setting says are fetched at once; who waits too long is told."""
    site.fault("page", Fault.hang())
    limits = Pages(at_once=1, page_s=0.2)
    assert "in time" in await problem(f"{site.url}/page.txt", limits)


async def test_threads_that_never_end_hold_up_pages_alone(site: Website) -> None:
    """With all its places taken, a page is unreadable in time, and told so."""
    limits = Pages(page_s=0.1)
    async with pages(limits=limits, offload=Stuck()) as service:
        with pytest.raises(PageUnreadable, match="in time"):
            await service.reader.read(f"{site.url}/")


async def test_a_page_is_fetched_once_for_a_while(site: Website) -> None:
    """Also for those who ask at the same time; what failed is asked for anew."""
    async with pages() as service:
        seen = len(site.record.exchanges)
        link = f"{site.url}/page.txt?once"
        both = await asyncio.gather(service.reader.read(link), service.reader.read(link))
        assert both[0] is both[1] is await service.reader.read(link)
        for _ in range(2):
            with pytest.raises(PageUnreadable):
                await service.reader.read(f"{site.url}/missing")
        asked = [exchange.path for exchange in list(site.record.exchanges)[seen:]]
    assert asked == ["/page.txt", "/missing", "/missing"]
