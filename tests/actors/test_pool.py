"""Pools: a worker a job, a bound on both, and jobs that end with their askers."""

import asyncio
import gc
from typing import Any, ClassVar

import pytest

from actors.context import bound
from actors.errors import ActorDead, ActorFailed, AskTimeout, MailboxFull
from actors.mailbox import Mailbox
from actors.pool import Pool
from actors.ref import Ref
from actors.supervisor import Tree
from protocol.errors import Busy, ServiceError
from tests.actors.player import (
    Do,
    Phoenix,
    Player,
    check_books,
    crash,
    defy,
    grown_tree,
    hang,
    now,
    refuse,
    sleep,
)
from tests.clock import virtual


class Line(Pool):
    """Three may wait."""

    mailbox_bound: ClassVar[int] = 3


def pool_of(tree: Tree, size: int, worker: type[Player] = Player, *args: Any) -> Ref:
    return tree.grow(Line, worker, *args, size=size)


@virtual
async def test_at_most_so_many_jobs_at_once() -> None:
    """As many workers as places, the rest waits; each job has its own reply."""
    inside = most = 0

    async def work(_me: Player) -> int:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        await asyncio.sleep(1)
        inside -= 1
        return most

    async with grown_tree() as tree:
        pool = tree.grow(Pool, Player, size=4)
        before = now()
        await asyncio.gather(*(pool.ask(Do(work)) for _ in range(10)))
        assert most == 4
        assert now() - before == pytest.approx(3)
        await asyncio.sleep(0)
        assert not pool.life.children
        assert tree.system.counts["pool"].handled == tree.system.counts["player"].handled == 10


@virtual
async def test_over_the_bound_it_refuses() -> None:
    """One runs, one is about to, three wait in line: the sixth is refused."""
    async with grown_tree() as tree:
        pool = pool_of(tree, 1)
        asked = []
        for _ in range(5):
            asked.append(pool.ask(Do(sleep(1))))
            await asyncio.sleep(0)
        with pytest.raises(MailboxFull):
            await pool.ask(Do(sleep(1)))
        check_books(tree.system, waiting=5)
        assert await asyncio.gather(*asked) == [None] * 5


@virtual
async def test_a_crash_takes_only_its_own_job() -> None:
    """The asker of the broken job is told, the others are answered, the place is free again."""
    async with grown_tree() as tree:
        pool = tree.grow(Pool, Player, size=2)
        acts = (crash, sleep(1, "kept"), refuse, crash, sleep(0, "next"))
        outcomes = await asyncio.gather(
            *(pool.ask(Do(act)) for act in acts), return_exceptions=True
        )
        assert [type(o) if isinstance(o, Exception) else o for o in outcomes] == [
            ActorFailed,
            "kept",
            Busy,
            ActorFailed,
            "next",
        ]
        assert pool.is_alive()
        for _ in range(50):  # more often than any policy would bear
            pool.tell(Do(crash))
        assert await pool.ask(Do(sleep(0, "well"))) == "well"


@virtual
async def test_a_worker_that_cannot_be_made_frees_its_place() -> None:
    """A constructor that raises costs its own job, not the pool."""

    class Unborn(Phoenix):
        def __init__(self) -> None:
            super().__init__()
            raise ZeroDivisionError

    async with grown_tree() as tree:
        pool = pool_of(tree, 1, Unborn)
        for _ in range(5):
            with pytest.raises(ServiceError):
                await pool.ask(Do(sleep(0)))
        assert pool.is_alive()
        assert tree.system.counts["unborn"].restarts == 0


@virtual
async def test_a_leaving_asker_ends_its_job_wherever_it_is() -> None:
    """Running, waiting for a place, or in line: its job is given up, the others go on."""
    for leaves in range(4):
        async with grown_tree() as tree:
            pool = tree.grow(Pool, Player, size=1)
            asked = [asyncio.ensure_future(pool.ask(Do(sleep(1, n)))) for n in range(4)]
            await asyncio.sleep(0.5)
            asked[leaves].cancel()
            outcomes = await asyncio.gather(*asked, return_exceptions=True)
            assert [n for n in outcomes if isinstance(n, int)] == [
                n for n in range(4) if n != leaves
            ]
            totals = tree.system.counts
            assert totals["pool"].cancelled + totals["player"].cancelled == 1


@virtual
async def test_a_job_whose_time_passes_in_line_is_not_begun() -> None:
    """Its asker is told in time, and its place goes to the next."""
    diary: list[str] = []

    async def note(me: Player) -> None:
        me.diary.append("begun")

    async with grown_tree() as tree:
        pool = pool_of(tree, 1, Player, "w", diary)
        pool.tell(Do(sleep(5)))
        before = now()
        with pytest.raises(AskTimeout):
            await pool.ask(Do(note), timeout=2)
        assert now() - before == 2
        unheard = pool.ask(Do(note), timeout=1)
        await asyncio.sleep(5)
        assert unheard.settled
        assert await pool.ask(Do(sleep(0, "next"))) == "next"
    assert "begun" not in diary


@virtual
async def test_a_pool_that_stops_finishes_its_jobs() -> None:
    """Running, waiting for a place, or in line: what was accepted is done first."""
    async with grown_tree() as tree:
        pool = pool_of(tree, 1)
        asked = [pool.ask(Do(sleep(1, n))) for n in range(3)]
        await asyncio.sleep(0.5)
        stopped = pool.stop()
        with pytest.raises(ActorDead):
            await pool.ask(Do(sleep(0)))
        assert await asyncio.gather(*asked) == [0, 1, 2]
        assert await stopped is True


@virtual
async def test_a_pool_that_is_killed_tells_every_asker() -> None:
    """No asker of a running, a placeless or a waiting job is forgotten."""
    for hung in (hang, defy):
        async with grown_tree() as tree:
            pool = pool_of(tree, 2)
            asked = [pool.ask(Do(hung)) for _ in range(3)]
            await asyncio.sleep(0.5)
            asked += [pool.ask(Do(hung)) for _ in range(2)]
            before = now()
            assert await pool.stop(timeout=1) is True
            assert now() - before <= 1.5
            waiting, rest = asked[2:], asked[:2]
            outcomes = await asyncio.gather(*waiting, return_exceptions=True)
            assert all(isinstance(outcome, ActorDead) for outcome in outcomes)
            if hung is hang:
                outcomes = await asyncio.gather(*rest, return_exceptions=True)
                assert all(isinstance(outcome, ActorFailed) for outcome in outcomes)
            else:
                await asyncio.sleep(86_400)


@virtual
async def test_a_worker_knows_whose_job_it_does() -> None:
    """The facts of the asker are on the worker's lines, and its deadline is the job's."""

    async def who(me: Player) -> dict[str, str]:
        return me.life.facts

    async with grown_tree() as tree:
        pool = pool_of(tree, 2)
        with bound(turn_id="t1"):
            first = pool.ask(Do(who))
        with bound(turn_id="t2"):
            second = pool.ask(Do(who))
        assert await first == {"actor": "player", "turn_id": "t1"}
        assert await second == {"actor": "player", "turn_id": "t2"}


@virtual
async def test_a_pool_that_was_broken_has_all_its_places_again() -> None:
    """A failed pool starts anew; jobs that waited in line are done by it."""
    async with grown_tree() as tree:
        pool = tree.grow(Pool, Player, size=2)
        asked = [pool.ask(Do(sleep(3, "done"))) for _ in range(4)]
        await asyncio.sleep(1)
        assert pool.life.task is not None
        pool.life.task.cancel()
        outcomes = await asyncio.gather(*asked, return_exceptions=True)
        # Two were running and had time to finish, one was waiting for a place, one was in line.
        assert outcomes[:2] == ["done"] * 2
        assert isinstance(outcomes[2], ActorDead)
        assert outcomes[3] == "done"
        before = now()
        await asyncio.gather(*(pool.ask(Do(sleep(1))) for _ in range(2)))
        assert now() - before == pytest.approx(1)


@virtual
async def test_jobs_outlive_a_pool_that_breaks_and_keep_their_places() -> None:
    """The restarted pool counts the workers it finds: never more at once than its size."""
    async with grown_tree() as tree:
        pool = tree.grow(Pool, Player, size=2)
        replies = [pool.ask(Do(sleep(10, "done"))) for _ in range(2)]
        await asyncio.sleep(1)
        assert pool.life.task is not None
        pool.life.task.cancel()
        await asyncio.sleep(1)
        third = pool.ask(Do(sleep(1, "third")))
        await asyncio.sleep(1)
        assert len(pool.life.children) == 2
        assert await asyncio.gather(*replies, third) == ["done", "done", "third"]


def alive() -> int:
    """How many players and mailboxes there are in memory."""
    return sum(isinstance(thing, Player | Mailbox) for thing in gc.get_objects())


@virtual
async def test_ended_actors_do_not_wait_for_the_collector() -> None:
    """Thousands of sessions come and go: what they leave is freed at once, not some day."""
    async with grown_tree() as tree:
        pool = tree.grow(Pool, Player, size=100)
        await asyncio.sleep(0)
        gc.collect()
        before = alive()
        gc.disable()
        try:
            await asyncio.gather(*(pool.ask(Do(sleep(0))) for _ in range(100)))
            await asyncio.sleep(1)
            assert alive() == before
        finally:
            gc.enable()
