"""How lives go on: restarted on the same address, with a pause, or given up."""

import asyncio
from itertools import pairwise
from typing import Any

import pytest

from actors.base import Actor
from actors.errors import ActorDead, ActorFailed, ForeignCancellation
from actors.policy import Policy
from tests.actors.player import (
    Do,
    Hurry,
    Note,
    Phoenix,
    Player,
    crash,
    grown_tree,
    hang,
    now,
    sleep,
)
from tests.clock import virtual


@virtual
async def test_a_restart_keeps_address_and_queue() -> None:
    """What waited is handled by the successor, in its order; the failing message never again."""
    diary: list[str] = []

    async def note_and_crash(me: Player) -> None:
        me.diary.append("crashing")
        raise ZeroDivisionError

    async with grown_tree() as tree:
        player = tree.grow(Phoenix, "a", diary)
        broken = player.ask(Do(note_and_crash))
        player.tell(Note("1"))
        kept = player.ask(Do(sleep(0, "2")))
        with pytest.raises(ActorFailed):
            await broken
        assert await kept == "2"
        assert player.is_alive()
    assert diary == ["a start", "crashing", "a failure ZeroDivisionError", "a start", "1", "a stop"]
    assert tree.system.counts["phoenix"].restarts == 1


@virtual
async def test_a_restart_begins_anew() -> None:
    """The successor is made with the same arguments and knows nothing of its predecessor."""
    async with grown_tree() as tree:
        player = tree.grow(Phoenix)

        async def identity(me: Player) -> int:
            me.name += "!"
            return id(me)

        async def name(me: Player) -> str:
            return me.name

        await player.ask(Do(identity))
        player.tell(Do(crash))
        assert await player.ask(Do(name)) == "player"


@virtual
async def test_the_pause_doubles_and_is_forgotten_after_health() -> None:
    """At once, then one second, then two; a minute later at once again."""
    starts: list[float] = []

    async def note(_me: Player) -> None:
        starts.append(now())

    async with grown_tree() as tree:
        player = tree.grow(Phoenix, "a", [], start=note)
        for _ in range(3):
            player.tell(Do(crash))
        await asyncio.sleep(61)
        player.tell(Do(crash))
        await asyncio.sleep(1)
    steps = [later - earlier for earlier, later in pairwise(starts)]
    assert steps == pytest.approx([0, 1, 2, 58])


def test_the_pause_has_a_longest() -> None:
    """However often something fails, the pause grows to its bound and no further."""
    policy = Policy(restarts=100_000, pause_s=1.0, longest_pause_s=8)
    pauses = [policy.pause(recent) for recent in (0, 1, 2, 3, 4, 5, 99, 5_000)]
    assert pauses == [0, 1, 2, 4, 8, 8, 8, 8]
    assert policy.pause(100_000) is None
    assert Policy().pause(0) is None


@virtual
async def test_failures_long_ago_do_not_count() -> None:
    """An actor that fails now and then is restarted for ever."""
    async with grown_tree() as tree:
        player = tree.grow(Phoenix)
        for _ in range(20):
            player.tell(Do(crash))
            await asyncio.sleep(30)
        assert player.is_alive()
        assert tree.system.counts["phoenix"].restarts == 20


@virtual
async def test_what_cannot_be_made_is_given_up() -> None:
    """A constructor or an on_start that raises counts as a failure like any other."""

    class Unborn(Phoenix):
        def __init__(self) -> None:
            super().__init__()
            raise ZeroDivisionError

    class Stillborn(Phoenix):
        async def on_start(self) -> None:
            raise ZeroDivisionError

    async with grown_tree() as tree:
        for kind in (Unborn, Stillborn):
            player = tree.grow(kind)
            reply = player.ask(Do(sleep(0)))
            with pytest.raises(ActorDead):
                await reply
            assert not player.is_alive()
            assert tree.system.counts[kind.__name__.lower()].restarts == 3


@virtual
async def test_messages_expire_and_leave_during_the_pause() -> None:
    """The clock of an asker runs on while its actor waits to be restarted."""
    async with grown_tree() as tree:
        player = tree.grow(Phoenix)
        for _ in range(2):
            player.tell(Do(crash))
        late, left = (player.ask(Do(sleep(0)), timeout=s) for s in (0.5, 5))
        kept = player.ask(Do(sleep(0, "kept")), timeout=5)
        await asyncio.sleep(0.1)
        left.abandon()
        assert await kept == "kept"
        assert late.settled
        counts = tree.system.counts["phoenix"]
        assert (counts.expired, counts.cancelled) == (1, 1)


@virtual
async def test_signals_survive_a_restart() -> None:
    """What waits in the lane of signals is handled first after the restart, too."""
    diary: list[str] = []
    async with grown_tree() as tree:
        player = tree.grow(Phoenix, "a", diary)
        player.tell(Do(crash))
        await asyncio.sleep(0)
        player.tell(Note("queued"))
        player.tell(Hurry("signal"))
        await player.ask(Do(sleep(0)))
    assert diary[-3:] == ["signal", "queued", "a stop"]


@virtual
async def test_a_foreign_cancellation_is_restarted() -> None:
    """Nobody can take an actor away by cancelling its task, wherever it is at that moment."""
    for steps in range(4):
        async with grown_tree() as tree:
            player = tree.grow(Phoenix)
            for _ in range(steps):
                await asyncio.sleep(0)
            assert player.life.task is not None
            player.life.task.cancel()
            assert await player.ask(Do(sleep(0, "back"))) == "back"
            assert tree.system.counts["phoenix"].restarts == 1


@virtual
async def test_a_foreign_cancellation_of_a_hook_ends_in_order() -> None:
    """Also an on_stop that is cancelled is a failure, and who waits for the stop is told."""
    async with grown_tree() as tree:
        player = tree.grow(Phoenix, "a", [], stop=sleep(9))
        stopped = player.stop()
        await asyncio.sleep(1)
        assert player.life.task is not None
        player.life.task.cancel()
        assert await stopped is True
        assert isinstance(player.life.failure, ForeignCancellation)


@virtual
async def test_a_failing_hook_does_not_hide_the_failure() -> None:
    """An on_failure that raises is logged; the actor is restarted for its first failure."""
    async with grown_tree() as tree:
        player = tree.grow(Phoenix, "a", [], failure=crash)
        player.tell(Do(crash))
        assert await player.ask(Do(sleep(0, "back"))) == "back"


@virtual
async def test_hooks_see_an_uncancelled_task() -> None:
    """After a kill the failure hook may use time-outs and task groups as if nothing had been."""
    seen: list[Any] = []

    async def structured(me: Player) -> None:
        async def fail() -> None:
            await asyncio.sleep(0)
            raise ZeroDivisionError

        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(fail())
                await asyncio.sleep(0.2)
        except* ZeroDivisionError:
            seen.append("group")
        try:
            async with asyncio.timeout(0.1):
                await asyncio.sleep(0.2)
        except TimeoutError:
            seen.append("timeout")

    async with grown_tree() as tree:
        player = tree.grow(Player, "a", [], failure=structured)
        player.tell(Do(hang))
        await asyncio.sleep(0)
        await player.stop(timeout=0)
    assert seen == ["group", "timeout"]


def test_actors_without_handlers_may_be_declared() -> None:
    """A class needs no handler, no constructor and no policy."""

    class Bare(Actor):
        pass

    assert Bare.policy == Policy()
