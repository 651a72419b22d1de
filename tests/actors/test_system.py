"""What all actors share: books that balance, tasks that are kept, and nothing left."""

import asyncio
import gc
import weakref
from typing import Any

import pykka
import pytest

from actors.errors import ActorDead
from actors.life import Life
from actors.ref import Ref
from actors.supervisor import Tree
from actors.system import System
from tests.actors.player import (
    Do,
    Note,
    Phoenix,
    Player,
    bear,
    check_books,
    check_nothing_left,
    crash,
    grown_tree,
    hang,
    refuse,
    sleep,
)
from tests.clock import StandStill, run_virtual, virtual


@virtual
async def test_the_books_balance() -> None:
    """Each accepted message has one end: handled, failed, cancelled, expired, dead, or it waits."""
    async with grown_tree() as tree:
        player = tree.grow(Phoenix)
        player.tell(Do(sleep(1)))
        player.tell(Do(refuse))
        player.tell(Do(crash))
        player.ask(Do(sleep(0)), timeout=0.5)
        player.ask(Do(hang)).abandon()
        running = player.ask(Do(hang), timeout=9)
        check_books(tree.system, waiting=6)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(3):
                await running
        player.tell(Do(hang))
        await asyncio.sleep(1)
        player.tell(Note("dead"))
        counts = tree.system.counts["phoenix"]
        check_books(tree.system, waiting=2)
        await player.stop(drain=True, timeout=1)
        with pytest.raises(ActorDead):
            player.tell(Note("refused"))
        assert (counts.accepted, counts.handled, counts.failed) == (8, 1, 3)
        assert (counts.cancelled, counts.expired, counts.dead) == (2, 1, 1)
        assert (counts.refused, counts.restarts) == (1, 1)


@virtual
async def test_ten_thousand_sessions_leave_nothing() -> None:
    """Of actors with children, messages and time-outs no task, timer, child or object is left."""
    async with grown_tree() as tree:
        sessions = tree.grow(Player, "sessions")
        before = len(asyncio.all_tasks())
        watched: weakref.WeakSet[Any] = weakref.WeakSet()

        async def live(number: int) -> None:
            session: Ref = await sessions.ask(Do(bear(Phoenix)))
            turn: Ref = await session.ask(Do(bear(Player)))
            watched.update((session, turn))
            assert session.life.actor is not None
            watched.add(session.life.actor)
            if number % 3 == 0:
                turn.tell(Do(crash))
            if number % 5 == 0:
                session.ask(Do(hang), timeout=60)
            session.stop(drain=number % 2 == 0, timeout=1)

        for start in range(0, 10_000, 500):
            await asyncio.gather(*(live(number) for number in range(start, start + 500)))
            await asyncio.sleep(2)
        assert len(asyncio.all_tasks()) == before
        assert not sessions.life.children
        assert len(tree.system.tasks) == before - 1  # the test itself is no actor's
        gc.collect()
        assert not watched
        assert not [o for o in gc.get_objects() if isinstance(o, Life) and o.name == "phoenix"]
        assert not pykka.ActorRegistry.get_all()


@virtual
async def test_tasks_are_kept_until_they_are_done() -> None:
    """Asyncio keeps no strong reference to a task; the system does."""
    system = System()
    done = asyncio.Event()

    async def work() -> None:
        await done.wait()

    running = weakref.ref(system.run(work(), "work"))
    await asyncio.sleep(0)
    gc.collect()
    assert running() is not None
    done.set()
    await asyncio.sleep(0.1)
    assert not system.tasks


@virtual
async def test_tree_tells_who_waits() -> None:
    """By kind of actor, at any depth, without what is being handled."""
    async with grown_tree() as tree:
        player = tree.grow(Player, "one")
        child: Ref = await player.ask(Do(bear(Phoenix)))
        for ref in (player, child, child):
            ref.tell(Do(hang))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        child.tell(Note("waits"))
        waiting = tree.waiting()
        assert (waiting["phoenix"], waiting["player"], waiting["supervisor"]) == (2, 0, 0)


@virtual
async def test_a_tree_can_be_stopped_twice_and_from_several_sides() -> None:
    """Each who stops it waits for its end."""
    tree = Tree(System())
    tree.grow(Player, stop=sleep(1))
    await asyncio.gather(tree.stop(5), tree.stop(2))
    await tree.stop(1)
    assert tree.ended.is_set()
    assert tree.failure is None
    check_nothing_left(tree)
    with pytest.raises(ActorDead):
        tree.grow(Player)


@virtual
async def test_nothing_grows_on_a_tree_that_stops() -> None:
    """What is grown while the tree is being stopped is refused, not forgotten."""
    tree = Tree(System())
    tree.grow(Player, stop=sleep(1))
    await asyncio.sleep(0)
    stopping = asyncio.ensure_future(tree.stop(5))
    await asyncio.sleep(0.5)
    with pytest.raises(ActorDead):
        tree.grow(Player)
    await stopping
    check_nothing_left(tree)


def test_the_virtual_clock_jumps() -> None:
    """An hour of waiting takes no time, in the order of the timers."""

    async def wait() -> list[float]:
        loop = asyncio.get_running_loop()
        began = loop.time()
        order: list[float] = []
        for after in (3600.0, 0.5, 60.0):
            loop.call_later(after, lambda: order.append(round(loop.time() - began, 6)))
        await asyncio.sleep(4000)
        return order

    assert run_virtual(wait()) == [0.5, 60, 3600]


def test_the_virtual_clock_notices_a_standstill() -> None:
    """Waiting for what nobody will ever do is an error, not a test that never ends."""

    async def wait() -> None:
        await asyncio.Event().wait()

    with pytest.raises(StandStill):
        run_virtual(wait())
