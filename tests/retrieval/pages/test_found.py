"""Pages that a search found, read for what the search does not say."""

from protocol.settings import Pages, Quality
from protocol.values import Node
from tests.retrieval.pages.places import pages
from tests.standins.faults import Fault
from tests.standins.website import Website

ASKED = "How tall is the lighthouse"


def found(site: Website, *paths: str) -> list[Node]:
    return [Node(f"said of {path}", f"title {path}", f"{site.url}{path}") for path in paths]


async def test_passages_stand_in_for_what_the_search_said(site: Website) -> None:
    """Title and address stay the search's; what cannot be read keeps its own words, behind."""
    nodes = found(site, "/found/2", "/missing", "/picture", "/found/4")
    async with pages() as service:
        deepened = await service.found.read(ASKED, nodes)
    assert deepened.pages == 2
    assert [node.url for node in deepened.nodes] == [nodes[i].url for i in (0, 3, 1, 2)]
    assert "On page two it is 41 metres tall." in deepened.nodes[0].text
    assert deepened.nodes[0].title == "title /found/2"
    assert deepened.nodes[2:] == (nodes[1], nodes[2])


async def test_the_best_of_each_page_comes_first(site: Website) -> None:
    """At most eight pieces a page, and no page crowds out the others."""
    async with pages() as service:
        deepened = await service.found.read(ASKED, found(site, "/long", "/found/2", "/long?2"))
    urls = [node.url.removeprefix(site.url) for node in deepened.nodes]
    assert urls[:3] == ["/long", "/found/2", "/long?2"]
    assert len(urls) == 8 + 1 + 8


async def test_no_more_pages_are_read_than_the_setting_says(site: Website) -> None:
    """The first ones; places of one page count as that page."""
    nodes = found(site, "/found/2#a", "/found/2#b", "/found/4", "/")
    async with pages(quality=Quality(pages=2)) as service:
        deepened = await service.found.read(ASKED, nodes)
    asked = sorted(exchange.path for exchange in site.record.exchanges)  # side by side
    assert asked == ["/found/2", "/found/4"]
    assert [node.url for node in deepened.nodes] == [nodes[0].url, nodes[2].url, nodes[3].url]


async def test_a_page_that_has_nothing_of_the_query_keeps_its_own_words(site: Website) -> None:
    """The search knows why it found it."""
    async with pages() as service:
        deepened = await service.found.read("zebra", found(site, "/found/2"))
    assert [node.text for node in deepened.nodes] == ["said of /found/2"]


async def test_slow_pages_and_documents_stay_as_they_are(site: Website) -> None:
    """A page in its own time; what is not of the web is a passage already."""
    site.fault("page", Fault.hang())
    nodes = [*found(site, "/found/2"), Node("a passage", "A document", "notes/a.md#b")]
    async with pages(limits=Pages(page_s=0.2)) as service:
        deepened = await service.found.read(ASKED, nodes)
    assert (deepened.nodes, deepened.pages) == (tuple(nodes), 0)


async def test_nothing_found_is_nothing_read() -> None:
    """No page, no wait."""
    async with pages() as service:
        assert (await service.found.read(ASKED, [])).nodes == ()
