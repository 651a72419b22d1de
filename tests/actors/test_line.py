"""The line before the places: bounded, fair, and each told where it is."""

import asyncio
from collections.abc import Awaitable
from itertools import pairwise
from typing import Any

import pytest
from msgspec.structs import replace

from access.buckets import Crowd
from actors.line import FIRST_GUESS_S, Line, Place
from protocol.access import Person
from protocol.errors import Busy, ServerDraining, ServiceError
from protocol.values import TurnInfo
from tests.actors.parts import turn_info
from tests.clock import virtual

TURN_S = 10.0


def asked(who: str) -> TurnInfo:
    """A turn of somebody with that name."""
    return replace(turn_info(), person=Person(who, "user"))


class Queue:
    """A line, and what comes of those that stand in it."""

    def __init__(self, places: int = 1, most: int = 200, asker_turns: int = 0) -> None:
        self.crowd = Crowd("your questions", asker_turns)
        self.line = Line(places, most, self.crowd, asyncio.get_running_loop())
        self.begun: list[str] = []
        self.told: dict[int, list[tuple[float, int]]] = {}
        self.most_at_once = 0
        self._began = self.now()

    @staticmethod
    def now() -> float:
        """Seconds."""
        return asyncio.get_running_loop().time()

    def enter(self, who: str, *, took_s: float = TURN_S) -> "asyncio.Task[None]":
        """A turn of somebody that runs for a while, when it may."""
        place = self.line.enter(asked(who))
        told = self.told[len(self.told)] = []
        return asyncio.ensure_future(self._run(who, place, told, took_s))

    async def _run(
        self, who: str, place: Place, told: list[tuple[float, int]], took_s: float
    ) -> None:
        try:
            await place.reached(lambda position: told.append((self.now() - self._began, position)))
            self.begun.append(who)
            self.most_at_once = max(self.most_at_once, self.line.running)
            await asyncio.sleep(took_s)
        finally:
            place.leave()


async def settled(*tasks: Awaitable[Any]) -> list[Any]:
    """What has become of them."""
    return await asyncio.gather(*tasks, return_exceptions=True)


@virtual
async def test_who_asks_one_question_is_served_among_the_first() -> None:
    """Another has asked a hundred before, and one place serves all."""
    queue = Queue()
    tasks = [queue.enter("greedy") for _ in range(100)]
    await asyncio.sleep(1)
    tasks.append(queue.enter("modest"))
    await settled(*tasks)
    assert queue.begun.index("modest") == 2
    assert len(queue.begun) == 101


@virtual
async def test_those_that_wait_are_served_in_rounds() -> None:
    """Each asker's oldest question in each."""
    queue = Queue()
    tasks = [queue.enter(who) for who in ("x", "a", "a", "a", "b", "c", "b")]
    await settled(*tasks)
    assert "".join(queue.begun) == "xabcaba"


@virtual
async def test_no_more_run_at_once_than_there_are_places() -> None:
    """And all of the places are used."""
    queue = Queue(places=3)
    began = queue.now()
    await settled(*(queue.enter("a") for _ in range(10)))
    assert queue.most_at_once == 3
    assert queue.now() - began == 4 * TURN_S
    assert (queue.line.running, queue.line.waiting) == (0, 0)


@virtual
async def test_position_is_told_at_once_and_when_it_changes() -> None:
    """The next one is told 1; nobody is told the same twice."""
    queue = Queue()
    await settled(*(queue.enter("a") for _ in range(4)))
    assert queue.told[0] == []
    assert queue.told[3] == [(0.0, 3), (11.0, 2), (21.0, 1)]


@virtual
async def test_position_is_told_at_most_once_a_second() -> None:
    """However fast the line moves."""
    queue = Queue()
    await settled(*(queue.enter("a", took_s=0.1) for _ in range(100)))
    times = [at for at, _ in queue.told[99]]
    assert len(times) >= 9
    assert all(later - at >= 0.99 for at, later in pairwise(times))


@virtual
async def test_one_that_gives_up_lets_the_others_move_up() -> None:
    """It leaves nothing behind, and takes no place later."""
    queue = Queue()
    first, second, third = (queue.enter("a") for _ in range(3))
    await asyncio.sleep(1)
    second.cancel()
    await settled(first, second, third)
    assert queue.told[2] == [(0.0, 2), (2.0, 1)]
    assert (len(queue.begun), queue.line.running, queue.line.waiting) == (2, 0, 0)


@virtual
async def test_one_that_gives_up_just_when_it_may_run_gives_its_place_back() -> None:
    """The place has been granted, and nobody has noticed yet."""
    queue = Queue()
    place = queue.line.enter(asked("a"))
    second, third = queue.enter("a"), queue.enter("a")
    await asyncio.sleep(1)
    place.leave()
    second.cancel()
    await settled(second, third)
    assert (queue.begun, queue.line.running) == (["a"], 0)


@virtual
async def test_full_line_refuses_with_the_time_in_which_a_place_becomes_free() -> None:
    """Guessed at first, then learned from the turns that have ended."""
    queue = Queue(places=2, most=3)
    tasks = [queue.enter("a", took_s=40) for _ in range(5)]
    with pytest.raises(Busy) as refused:
        queue.line.enter(asked("b"))
    assert refused.value.again_after_s == FIRST_GUESS_S / 2
    await settled(*tasks)
    for _ in range(20):
        await queue.enter("a", took_s=40)
    assert queue.line.busy().again_after_s == pytest.approx(20, rel=0.05)


@virtual
async def test_one_asker_has_so_many_at_once_and_no_more() -> None:
    """Those that wait count too; others are not concerned."""
    queue = Queue(asker_turns=3)
    tasks = [queue.enter("a") for _ in range(3)]
    with pytest.raises(Busy):
        queue.line.enter(asked("a"))
    tasks.append(queue.enter("b"))
    await settled(*tasks)
    assert len(queue.crowd) == 0


@virtual
async def test_line_that_closes_sends_home_those_that_wait() -> None:
    """Those that run go on; nobody comes in any more."""
    queue = Queue()
    running, waiting = queue.enter("a"), queue.enter("a")
    await asyncio.sleep(1)
    queue.line.close()
    assert not isinstance((await settled(running))[0], ServiceError)
    assert isinstance((await settled(waiting))[0], ServerDraining)
    with pytest.raises(ServerDraining):
        queue.line.enter(asked("a"))
    assert queue.begun == ["a"]


@pytest.mark.parametrize(
    "apart",
    [
        {"person": Person("ann", "user", "10.0.0.1")},
        {"person": Person(address="10.0.0.2")},
        {"session_id": "another"},
    ],
    ids=["person", "address", "connection"],
)
def test_askers_are_told_apart_by_what_is_known_of_them(apart: dict[str, Any]) -> None:
    """The name; without one the address; without both the connection."""

    @virtual
    async def test() -> None:
        line = Queue().line
        running, *same = (line.enter(turn_info()) for _ in range(4))
        other = line.enter(replace(turn_info(), **apart))
        running.leave()
        same[0].leave()
        assert other.granted.done()
        assert not same[1].granted.done()

    test()
