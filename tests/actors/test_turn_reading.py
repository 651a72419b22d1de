"""A turn that reads: the pages that its question names, and in quality those that were found."""

from typing import Any

import msgspec

from actors.journal import Journal
from protocol.errors import SearchUnavailable
from protocol.events import Status
from protocol.messages import (
    Deepen,
    Divide,
    Divided,
    PagesRead,
    Read,
    Rephrase,
    Rephrased,
    Rerank,
    Reranked,
    Search,
    SearchFinished,
)
from protocol.values import Node, OptimizationMode
from tests.actors.parts import (
    MODE,
    NODES,
    Act,
    Scene,
    break_down,
    ended,
    fail,
    hang,
    told,
    turn_info,
)
from tests.clock import virtual

READING = msgspec.structs.replace(MODE, reads_links=True, reads_results=True)
LINK = "https://example.org/page"


async def play(
    acts: dict[type, Act],
    *,
    text: str = "Why?",
    mode: OptimizationMode = "balanced",
    focus: Any = READING,
) -> tuple[list[str], list[str]]:
    """What a turn tells, and the details of its stages."""
    scene = Scene(acts)
    journal = Journal(turn_info(text, mode=mode))
    scene.play(journal, focus)
    events = await ended(journal)
    await scene.close()
    details = [f"{e.stage}: {e.detail}" for e in events if isinstance(e, Status) and e.detail]
    return told(events), details


async def links(_message: Rephrase) -> Rephrased:
    """A question with a link."""
    return Rephrased("how tall", (LINK,))


async def whole(_message: Rephrase) -> Rephrased:
    """A page as a whole."""
    return Rephrased("summarize", (LINK,))


@virtual
async def test_pages_that_are_named_are_read_and_nothing_is_searched() -> None:
    """The stage names the site; what was read is ranked as anything else."""
    events, details = await play({Rephrase: links, Search: break_down})
    assert events[:5] == [
        "accepted",
        "status rephrasing",
        "status reading",
        "status reranking",
        "sources 1",
    ]
    assert details == ["reading: example.org", "reranking: 1 passages"]
    assert events[-1] == "finished"


@virtual
async def test_a_page_as_a_whole_is_not_ranked() -> None:
    """There is nothing to be close to."""
    events, _ = await play({Rephrase: whole, Rerank: break_down})
    assert "status reranking" not in events
    assert "sources 1" in events


@virtual
async def test_pages_that_cannot_be_read_are_a_note_in_the_answer() -> None:
    """Without sources, and ahead of the model's words."""

    async def unreadable(_message: Read) -> PagesRead:
        return PagesRead((), "It could not be read.")

    events, _ = await play({Rephrase: links, Read: unreadable})
    assert "*It could not be read.*\n\n" in events
    assert "Because" in events


@virtual
async def test_reading_that_fails_or_hangs_ends_in_an_answer_all_the_same() -> None:
    """A bug in the reader, a reader that is out of order, one that hangs."""
    for act in (fail, break_down, hang):
        events, _ = await play({Rephrase: links, Read: act})
        assert "sources 0" in events
        assert any("Nothing could be read" in event for event in events)
        assert events[-1] == "finished"


@virtual
async def test_failed_rephrasing_does_not_lose_the_link() -> None:
    """The question itself names it."""
    asked: list[Read] = []

    async def read(message: Read) -> PagesRead:
        asked.append(message)
        return PagesRead((Node("read", "T", LINK),))

    await play({Rephrase: fail, Read: read}, text=f"How tall is {LINK} ?")
    assert [(message.query, message.links) for message in asked] == [("How tall is", (LINK,))]
    await play({Rephrase: fail, Read: read}, text=f"How tall is {LINK} ?", focus=MODE)
    assert len(asked) == 1


@virtual
async def test_quality_searches_several_queries_and_reads_what_they_found() -> None:
    """It says so stage by stage; ranking is towards the query, not towards its parts."""
    queries: list[str] = []

    async def search(message: Search) -> SearchFinished:
        queries.append(message.query)
        return SearchFinished(NODES[:3], "stand-in")

    async def rerank(message: Rerank) -> Reranked:
        queries.append(message.query)
        return Reranked(message.nodes)

    events, details = await play({Search: search, Rerank: rerank}, mode="quality")
    assert queries == ["a query one", "a query two", "a query"]
    assert details == [
        "rephrasing: one question into several queries",
        "searching: a query one | a query two",
        "reading: the best of 3 results",
        "reranking: 4 passages",
    ]
    assert "sources 4" in events


@virtual
async def test_quality_degrades_step_by_step() -> None:
    """Without queries the one, without pages their snippets, with one search failing the others."""

    async def half(message: Search) -> SearchFinished:
        if message.query.endswith("one"):
            raise SearchUnavailable("stand-in", "it is out of order")
        return SearchFinished(NODES[:3], "stand-in")

    for act in (fail, break_down, hang):
        events, details = await play({Divide: act}, mode="quality")
        assert "searching: a query" in details
        assert events[-1] == "finished"
        events, _ = await play({Deepen: act, Rerank: act}, mode="quality")
        assert "sources 15" in events
        events, _ = await play({Search: act}, mode="quality")
        assert "sources 0" in events
        assert any("Nothing could be searched" in event for event in events)
    events, details = await play({Search: half}, mode="quality")
    assert "reading: the best of 3 results" in details
    assert not any("could be searched" in event for event in events)


@virtual
async def test_quality_reads_nothing_where_the_mode_does_not_or_nothing_is_ranked() -> None:
    """Videos are not read; what is computed is not even broken into parts."""

    async def one(message: Divide) -> Divided:
        return Divided((message.query,))

    videos = msgspec.structs.replace(READING, reads_results=False)
    events, _ = await play({Divide: one, Deepen: break_down}, mode="quality", focus=videos)
    assert "status reading" not in events
    computed = msgspec.structs.replace(READING, rerank=False)
    events, details = await play({Divide: break_down}, mode="quality", focus=computed)
    assert "searching: a query" in details
    assert "status reading" not in events
