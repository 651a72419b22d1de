"""Backends are asked in turn until one finds something."""

from collections.abc import Sequence

import pytest

from protocol.messages import SearchFinished
from protocol.values import Node
from retrieval.backend import SearchBackend
from retrieval.chain import SearchChain
from retrieval.modes import FocusMode, load_focus_modes
from retrieval.retriever import retrieve
from tests.retrieval.fakes import Asked, node
from upstreams.breaker import NEVER, BreakerPolicy

WEB = load_focus_modes()["webSearch"]


def chain(
    *backends: SearchBackend,
    last: Asked | None = None,
    within_s: float = 5,
    policy: BreakerPolicy = NEVER,
) -> SearchChain:
    own = last or Asked("documents")
    return SearchChain(backends, own, retrieve, language="en", within_s=within_s, policy=policy)


async def search(
    *backends: SearchBackend, last: Asked | None = None, within_s: float = 5, mode: FocusMode = WEB
) -> SearchFinished:
    return await chain(*backends, last=last, within_s=within_s).search("q", mode)


async def test_the_first_that_finds_something_wins() -> None:
    """Later backends are not asked."""
    second = Asked("two", node())
    found = await search(Asked("one", node("first")), second)
    assert (found.backend, found.note) == ("one", "")
    assert [n.text for n in found.nodes] == ["first"]
    assert second.asked == []


@pytest.mark.parametrize("first", [Asked("one"), Asked("one", error="x"), Asked("one", node(" "))])
async def test_an_empty_or_failed_one_is_followed_by_the_next(first: Asked) -> None:
    """Nothing found, an error, or results without text: the next is asked."""
    found = await search(first, Asked("two", node()))
    assert (found.backend, found.note) == ("two", "")


async def test_a_hanging_one_leaves_time_for_the_next() -> None:
    """A backend that never answers is cut off within its share."""
    found = await search(
        Asked("one", hangs=True),
        Asked("two", hangs=True),
        last=Asked("documents", node()),
        within_s=0.2,
    )
    assert found.backend == "documents"


async def test_the_built_in_documents_come_with_a_note() -> None:
    """The reader is told where the sources come from, and why."""
    last = Asked("documents", node())
    after_failure = await search(Asked("one", error="x"), last=last)
    after_nothing = await search(Asked("one"), last=last)
    assert "did not work" in after_failure.note
    assert "found nothing" in after_nothing.note


async def test_nothing_at_all_after_a_failure_is_said() -> None:
    """No nodes, no backend, and a note."""
    found = await search(Asked("one", error="x"))
    assert (found.nodes, found.backend) == ((), "")
    assert found.note


async def test_nothing_found_without_failure_needs_no_note() -> None:
    """The answer itself says that nothing was found."""
    assert await search(Asked("one")) == SearchFinished((), "")


async def test_one_search_that_worked_is_enough_for_nothing_found() -> None:
    """A later backend that is down does not turn an honest nothing into a failure."""
    assert await search(Asked("one"), Asked("two", error="x")) == SearchFinished((), "")


async def test_the_mode_decides_engines_and_titles() -> None:
    """Engines reach the backend; titles stand in for text where the mode says so."""
    fields = {"engines": ("reddit",), "title_when_empty": True}
    mode = FocusMode("reddit", True, 0.7, "{context}", **fields)  # type: ignore[arg-type]
    backend = Asked("one", node("", "A title"))
    found = await search(backend, mode=mode)
    assert backend.asked == [("q", ("reddit",), "en")]
    assert [n.text for n in found.nodes] == ["A title"]


async def test_what_was_found_passes_unchanged_through_llamaindex() -> None:
    """The way through BaseRetriever keeps order, picture, score and equal results."""
    nodes = [
        Node("a {x}", "T", "https://a.example", 0.5, "https://a.example/p.png"),
        Node("b", "T", "https://b.example"),
        Node("b", "T", "https://b.example"),
    ]
    assert list((await search(Asked("one", *nodes))).nodes) == nodes


async def test_a_chain_is_asked_through_whatever_it_is_given() -> None:
    """The way to ask is handed in."""
    asked: list[str] = []

    async def ask(
        backend: SearchBackend, query: str, *, engines: Sequence[str], language: str
    ) -> list[Node]:
        asked.append(backend.name)
        return []

    await SearchChain([Asked("one")], Asked("two"), ask, language="en", within_s=1).search("q", WEB)
    assert asked == ["one", "two"]


async def test_one_that_hangs_is_asked_once_for_a_while() -> None:
    """The searches that follow go on to the next at once."""
    first, second = Asked("one", hangs=True), Asked("two", node("second"))
    searches = chain(first, second, within_s=0.2, policy=BreakerPolicy())
    for _ in range(3):
        assert (await searches.search("q", WEB)).backend == "two"
    assert len(first.asked) == 1
    assert [(each.name, each.state) for each in searches.health()] == [
        ("one", "open"),
        ("two", "closed"),
        ("documents", "closed"),
    ]


async def test_one_that_got_little_time_is_not_taken_for_dead() -> None:
    """Those before it had used it up."""
    searches = chain(
        Asked("one", hangs=True), Asked("two", hangs=True), within_s=0.2, policy=BreakerPolicy()
    )
    await searches.search("q", WEB)
    assert [each.state for each in searches.health()][:2] == ["open", "closed"]


async def test_one_that_fails_three_times_is_left_alone() -> None:
    """Its problem is known."""
    first = Asked("one", error="status 500")
    searches = chain(first, policy=BreakerPolicy())
    for _ in range(5):
        await searches.search("q", WEB)
    assert len(first.asked) == 3
    assert "status 500" in searches.health()[0].problem
