"""The pages that a question names, told towards what is asked."""

import asyncio
from collections.abc import Sequence

import pytest

from protocol.errors import ModelUnavailable
from protocol.settings import Pages
from protocol.values import Prompt
from retrieval.pages.content import Page
from retrieval.pages.digest import Digest, grouped
from tests.retrieval.fakes import in_thread
from tests.retrieval.pages.places import pages
from tests.standins.website import Website

ASKED = "How tall is the lighthouse"


class Model:
    """Replies as told, and remembers its prompts."""

    def __init__(self, reply: str = "A summary.", *, hangs: bool = False) -> None:
        self.prompts: list[str] = []
        self._reply = reply
        self._hangs = hangs

    async def __call__(self, prompt: Prompt) -> str:
        """As a provider's ``complete``."""
        self.prompts.append(prompt[0].text)
        if self._hangs:
            await asyncio.Event().wait()
        return self._reply


async def broken(_prompt: Prompt) -> str:
    raise ModelUnavailable("test", "it is out of order")


async def test_pages_are_summed_up_and_keep_title_and_address(site: Website) -> None:
    """A node a part; a page without a title bears its address, as named, not as moved."""
    links = [f"{site.url}/", f"{site.url}/page.pdf", f"{site.url}/moved"]
    model = Model()
    async with pages() as service:
        read = await service.named.read(ASKED, links, model)
    assert [(n.title, n.url, n.text) for n in read.nodes] == [
        ("Tides & lighthouses", links[0], "A summary."),
        (links[1], links[1], "A summary."),
        (links[2], links[2], "A summary."),
    ]
    assert read.note == ""
    assert all(ASKED in prompt for prompt in model.prompts)


async def test_a_long_page_takes_a_bounded_number_of_calls(site: Website) -> None:
    """At most four, of ten pieces each; among them what the question asks for; no piece twice."""
    model = Model()
    async with pages() as service:
        read = await service.named.read(ASKED, [f"{site.url}/long"], model)
    assert len(model.prompts) == len(read.nodes) == 4
    assert sum("tells of the lighthouse" in prompt for prompt in model.prompts) == 1
    assert sum(prompt.count("Part 60 tells") for prompt in model.prompts) == 1


async def test_several_long_pages_share_the_places(site: Website) -> None:
    """Five pages make at most fifteen sources, each page some."""
    links = [f"{site.url}/long?{n}" for n in range(7)]
    model = Model()
    async with pages() as service:
        read = await service.named.read(ASKED, links, model)
    assert len(model.prompts) == len(read.nodes) == 15
    assert {node.url for node in read.nodes} == set(links[:5])
    assert read.note == "Only the first 5 addresses were read."


async def test_without_a_model_pages_are_told_by_their_closest_passages(site: Website) -> None:
    """In the order of the page, the passage asked for among them."""
    async with pages() as service:
        read = await service.named.read(ASKED, [f"{site.url}/long"], None)
    assert len(read.nodes) == 15
    assert any("Part 60 tells of the lighthouse" in node.text for node in read.nodes)


async def test_a_page_as_a_whole_is_read_from_end_to_end(site: Website) -> None:
    """Without a question of its own the passages are spread over the page."""
    async with pages() as service:
        read = await service.named.read("summarize", [f"{site.url}/long"], None)
    assert "Part 0 " in read.nodes[0].text
    assert any(f"Part {n} " in read.nodes[-1].text for n in range(100, 120))


@pytest.mark.parametrize("complete", [broken, Model(""), Model("<think>endless")])
async def test_a_model_that_fails_leaves_the_page_its_own_words(
    site: Website, complete: Model
) -> None:
    """What was fetched is used all the same."""
    async with pages() as service:
        read = await service.named.read(ASKED, [f"{site.url}/"], complete)
    assert "41 metres" in read.nodes[0].text


async def test_a_model_that_hangs_is_left_in_time(site: Website) -> None:
    """The whole reading has one deadline."""
    async with pages(read_s=0.5) as service, asyncio.timeout(3):
        read = await service.named.read(ASKED, [f"{site.url}/"], Model(hangs=True))
    assert "41 metres" in read.nodes[0].text


async def test_what_cannot_be_read_is_a_note_and_no_source(site: Website) -> None:
    """The other pages are there; markup in an address stays without effect."""
    links = [f"{site.url}/missing`<img>", f"{site.url}/page.txt", f"{site.url}/loop"]
    async with pages() as service:
        read = await service.named.read(ASKED, links, Model())
    assert [node.url for node in read.nodes] == [links[1]]
    assert read.note == (
        f"`{site.url}/missing<img>` could not be read: it answered with status 404. "
        f"`{links[2]}` could not be read: it redirects too often."
    )


async def test_parts_with_nothing_of_the_question_are_left_out() -> None:
    """But a page keeps a source, so that an answer can say what it is about."""
    page = Page("Long", tuple(f"piece {n}" for n in range(30)))

    async def third_only(prompt: Prompt) -> str:
        return "Here it is." if "piece 25" in prompt[0].text else "nothing_relevant"

    async def told(complete: object) -> Sequence[str]:
        ends_at = asyncio.get_running_loop().time() + 5
        digest = Digest("x", complete, in_thread, ends_at=ends_at)  # type: ignore[arg-type]
        return [node.text for node in await digest.nodes("https://a.example", page, most=4)]

    assert await told(third_only) == ["Here it is."]
    assert await told(Model("Nothing_relevant.")) == ["piece 0"]


async def test_links_over_the_setting_are_not_even_fetched(site: Website) -> None:
    """The note tells that there were more."""
    async with pages(limits=Pages(links=1)) as service:
        await service.named.read(ASKED, [f"{site.url}/", f"{site.url}/page.txt"], None)
    assert [exchange.path for exchange in site.record.exchanges] == ["/"]


async def test_who_leaves_ends_fetching(site: Website) -> None:
    """A turn that is given up closes its connections."""
    gate = site.hold_after(1, kind="page")
    async with pages() as service:
        reading = asyncio.ensure_future(service.named.read(ASKED, [f"{site.url}/page.txt"], None))
        await gate.reached.wait()
        reading.cancel()
        assert (await site.closed_early(about="/page.txt")).pieces == 1


@pytest.mark.parametrize(
    ("count", "sizes"), [(0, []), (1, [1]), (10, [10]), (12, [6, 6]), (25, [8, 8, 9])]
)
def test_pieces_go_together_evenly(count: int, sizes: list[int]) -> None:
    """As few groups as can be, none over ten, each piece in one."""
    groups = grouped([str(n) for n in range(count)], 10)
    assert [len(group) for group in groups] == sizes
    assert [piece for group in groups for piece in group] == [str(n) for n in range(count)]
