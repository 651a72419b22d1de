"""A backend that is slower than usual is overtaken by the next."""

import asyncio
from collections.abc import Sequence

from protocol.values import Node
from retrieval.chain import SearchChain
from retrieval.modes import load_focus_modes
from retrieval.race import Hedges
from retrieval.retriever import retrieve
from tests.clock import virtual
from tests.retrieval.fakes import Asked, node
from upstreams.breaker import BreakerPolicy
from upstreams.latency import ENOUGH
from upstreams.retry import Retry
from upstreams.tally import Tally

WEB = load_focus_modes()["webSearch"]
USUAL_S = 0.5


class Timed:
    """A backend that takes as long as it is told, and knows who left."""

    def __init__(self, name: str, *nodes: Node) -> None:
        self.name = name
        self.takes_s = USUAL_S
        self.asked = 0
        self.left = 0
        self._nodes = list(nodes)

    async def search(self, query: str, *, engines: Sequence[str], language: str) -> list[Node]:
        """Its nodes."""
        del query, engines, language
        self.asked += 1
        try:
            await asyncio.sleep(self.takes_s)
        except asyncio.CancelledError:
            self.left += 1
            raise
        return self._nodes


class Searches:
    """A chain of two, of which the first is known well."""

    def __init__(self, second: Timed, *, hedge: bool = True) -> None:
        self.first = Timed("one", node("first"))
        self.last = Asked("documents", node("own"))
        self.tally = Tally()
        retry = Retry(0, self.tally, random=float, clock=asyncio.get_running_loop().time)
        self.chain = SearchChain(
            [self.first, second],
            self.last,
            retrieve,
            language="en",
            within_s=5,
            policy=BreakerPolicy(),
            hedges=Hedges(retry, is_on=hedge),
        )

    async def known(self) -> "Searches":
        """After as many searches as it takes to know what is usual."""
        for _ in range(ENOUGH):
            await self.chain.search("q", WEB)
        return self

    async def took(self, first_s: float) -> tuple[str, float]:
        """Who answered when the first takes so long, and after how many seconds."""
        self.first.takes_s = first_s
        began = asyncio.get_running_loop().time()
        found = await self.chain.search("q", WEB)
        return found.backend, round(asyncio.get_running_loop().time() - began, 3)


@virtual
async def test_slow_one_is_overtaken_and_left() -> None:
    """The second is asked after the usual time; who asked the first hangs up, and is no judge."""
    second = Timed("two", node("second"))
    searches = await Searches(second).known()
    assert await searches.took(3) == ("two", 2 * USUAL_S)
    assert (searches.first.left, second.asked) == (1, 1)
    assert {each.state for each in searches.chain.health()} == {"closed"}
    told = searches.tally.told()
    assert (told["hedged"], told["hedgesWon"]) == ({"two": 1}, {"two": 1})


@virtual
async def test_slow_one_may_still_come_first() -> None:
    """Then the second is left."""
    second = Timed("two", node("second"))
    second.takes_s = 2
    searches = await Searches(second).known()
    assert await searches.took(1) == ("one", 1)
    assert second.left == 1
    told = searches.tally.told()
    assert (told["hedged"], told["hedgesWon"]) == ({"two": 1}, {})


@virtual
async def test_second_that_finds_nothing_overtakes_nobody() -> None:
    """The first is waited for, and the program's own documents are not asked beside it."""
    searches = await Searches(Timed("two")).known()
    assert await searches.took(3) == ("one", 3)
    assert searches.last.asked == []


@virtual
async def test_nobody_is_overtaken_before_it_is_known_what_is_usual() -> None:
    """The second waits."""
    second = Timed("two", node("second"))
    assert await Searches(second).took(3) == ("one", 3)
    assert second.asked == 0


@virtual
async def test_it_can_be_turned_off() -> None:
    """Then the second is asked when the first has ended."""
    second = Timed("two", node("second"))
    searches = await Searches(second, hedge=False).known()
    assert await searches.took(3) == ("one", 3)
    assert second.asked == 0


@virtual
async def test_dead_one_is_cut_off_within_its_share_though_another_is_asked() -> None:
    """Two that hang leave time for the program's own documents."""
    second = Timed("two", node("second"))
    second.takes_s = 100
    searches = await Searches(second).known()
    assert (await searches.took(100))[0] == "documents"


@virtual
async def test_who_leaves_ends_them_all() -> None:
    """Nobody works for an asker who is gone."""
    second = Timed("two", node("second"))
    second.takes_s = 100
    searches = await Searches(second).known()
    searches.first.takes_s = 100
    search = asyncio.create_task(searches.chain.search("q", WEB))
    await asyncio.sleep(1)
    search.cancel()
    await asyncio.wait({search})
    assert (searches.first.left, second.left) == (1, 1)
