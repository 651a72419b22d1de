"""How lives are ended that do not end by themselves: once, at once, with all below them."""

import asyncio
from contextlib import suppress
from functools import partial

import pytest

from actors.errors import ActorDead, ActorFailed
from actors.supervisor import Tree
from actors.system import System
from tests.actors.player import (
    Do,
    Player,
    bear,
    check_books,
    check_nothing_left,
    crash,
    defy,
    grown_tree,
    hang,
    now,
)
from tests.clock import virtual


@virtual
async def test_a_kill_while_children_are_being_stopped_kills_them() -> None:
    """A parent that waits for its children passes a kill on to them, and goes after them."""
    diary: list[str] = []
    async with grown_tree(drain_s=60) as tree:
        parent = tree.grow(Player, "parent", diary)
        for name in ("old", "new"):
            child = await parent.ask(Do(bear(Player, name, diary)))
            child.tell(Do(hang))
        stopped = parent.stop()
        await asyncio.sleep(1)
        before = now()
        parent.life.kill()
        assert await stopped is True
        assert now() == before
    assert diary[3:] == [
        "new torn away",
        "new failure Killed",
        "old torn away",
        "old failure Killed",
        "parent stop",
    ]


@virtual
async def test_a_second_kill_changes_nothing() -> None:
    """It neither cancels what the actor does about the first, nor gives it more time."""
    diary: list[str] = []

    async def say_goodbye(me: Player) -> None:
        await asyncio.sleep(0.2)
        me.diary.append("goodbye")

    async with grown_tree() as tree:
        for act, took_s in ((hang, 0.2), (defy, 0.5)):
            player = tree.grow(Player, "a", diary, failure=say_goodbye)
            player.tell(Do(act))
            await asyncio.sleep(0)
            stopped, before = player.stop(), now()
            for _ in range(2):
                player.life.kill()
                await asyncio.sleep(0.1)
            assert await stopped is True
            assert now() - before == pytest.approx(took_s)
            assert diary[-1] == ("goodbye" if act is hang else "a start")
        await asyncio.sleep(86_401)


@virtual
async def test_who_ignores_the_first_cancellation_gets_another() -> None:
    """An actor that is given up is cancelled once more, so that little is left for ever."""

    async def ignore_one(me: Player) -> None:
        with suppress(asyncio.CancelledError):
            await hang(me)
        await hang(me)

    tree = Tree(System())
    tree.grow(Player).tell(Do(ignore_one))
    await asyncio.sleep(0)
    await tree.stop(1)
    await asyncio.sleep(0.01)
    check_nothing_left(tree)


@virtual
async def test_what_a_killed_actor_still_starts_is_killed_too() -> None:
    """A child that is born between the kill of its parent and its end does not outlive it."""
    children = []

    async def start_one_more(me: Player) -> None:
        with suppress(asyncio.CancelledError):
            await hang(me)
        child = me.spawn(Player)
        child.tell(Do(hang))
        children.append(child)
        await defy(me)

    async with grown_tree() as tree:
        player = tree.grow(Player)
        player.tell(Do(start_one_more))
        await asyncio.sleep(0)
        before = now()
        await player.stop(timeout=1)
        (child,) = children
        await asyncio.sleep(0)
        assert not child.is_alive()
        assert await child.stop() in (True, False)
        assert now() - before <= 2
        await asyncio.sleep(86_400)


@virtual
async def test_tasks_forget_their_cancellations() -> None:
    """After a cancelled job the next one, and after a kill the hook, run in an uncancelled task."""
    seen: list[int] = []

    async def look(_me: Player) -> None:
        task = asyncio.current_task()
        assert task is not None
        seen.append(task.cancelling())

    async with grown_tree() as tree:
        player = tree.grow(Player, "a", [], failure=look)
        player.ask(Do(hang)).abandon()
        left = player.ask(Do(hang))
        await asyncio.sleep(0.1)
        left.abandon()
        await player.ask(Do(look))
        player.tell(Do(hang))
        await asyncio.sleep(0)
        await player.stop(timeout=0)
    assert seen == [0, 0]


@virtual
async def test_shutdown_leaves_behind_what_defies_it() -> None:
    """A handler that swallows its cancellation is left behind a grace after the deadline."""
    diary: list[str] = []
    tree = Tree(System(grace_s=0.5))
    elder = tree.grow(Player, "elder", diary)
    rebels = [tree.grow(Player, "rebel", diary) for _ in range(20)]
    asked = [rebel.ask(Do(defy)) for rebel in rebels]
    await asyncio.sleep(0)
    before = now()
    await tree.stop(3)
    assert now() - before <= 3.5 + 1e-6
    assert not elder.is_alive()
    assert not any(rebel.is_alive() for rebel in rebels)
    assert len(tree.system.tasks) >= 20  # nobody can end them
    await asyncio.sleep(86_400)
    check_nothing_left(tree)
    assert all(reply.settled for reply in asked)


@pytest.mark.parametrize("hook", ["start", "stop"])
@virtual
async def test_a_kill_ends_a_hung_hook(hook: str) -> None:
    """A hook that hangs is torn away like a handler, and then the failure hook runs."""
    diary: list[str] = []
    async with grown_tree() as tree:
        player = tree.grow(Player, "a", diary, **{hook: hang})
        await asyncio.sleep(0)
        before = now()
        assert await player.stop(timeout=1) is True
        assert now() - before <= 1.5
    assert "a torn away" in diary


@virtual
async def test_a_kill_ends_a_hung_failure_hook() -> None:
    """Also after a failure of its own an actor ends by the deadline of its stop."""
    diary: list[str] = []
    async with grown_tree() as tree:
        player = tree.grow(Player, "a", diary, failure=hang)
        player.tell(Do(crash))
        await asyncio.sleep(1)
        before = now()
        assert await player.stop(timeout=1) is True
        assert now() - before <= 1.5
    assert diary == ["a start", "a failure ZeroDivisionError", "a torn away"]


@virtual
async def test_killed_before_its_first_step() -> None:
    """An actor that is killed before it ever ran ends like any other."""
    async with grown_tree() as tree:
        player = tree.grow(Player)
        player.life.kill()
        assert await player.stop() is True
        before = now()
        assert await player.stop() is False
        assert now() == before


@virtual
async def test_killed_while_its_job_is_cancelled() -> None:
    """A kill in the step in which an asker leaves is no less a kill."""
    diary: list[str] = []
    async with grown_tree() as tree:
        player = tree.grow(Player, "a", diary)
        reply = player.ask(Do(hang))
        await asyncio.sleep(0)
        reply.abandon()
        await asyncio.sleep(0)  # the cancellation is on its way now
        player.life.kill()
        assert await player.stop() is True
    assert diary == ["a start", "a torn away", "a failure Killed"]


@virtual
async def test_an_asker_of_a_killed_actor_is_told() -> None:
    """The message in hand fails, those that wait find the actor dead; no asker is forgotten."""
    async with grown_tree() as tree:
        player = tree.grow(Player)
        running, waiting = player.ask(Do(hang)), player.ask(Do(hang), timeout=9)
        await asyncio.sleep(0)
        check_books(tree.system, waiting=2)
        player.stop(drain=True, timeout=1)
        with pytest.raises(ActorFailed):
            await running
        with pytest.raises(ActorDead):
            await waiting


@virtual
async def test_when_ended_is_called_once() -> None:
    """The end is told once, also that of an actor which is given up and ends later."""
    calls: list[str] = []
    async with grown_tree() as tree:
        player = tree.grow(Player)
        player.life.when_ended(partial(calls.append, "ended"))
        player.tell(Do(defy))
        await asyncio.sleep(0)
        await player.stop(timeout=1)
        assert calls == ["ended"]
        await asyncio.sleep(86_400)
    assert calls == ["ended"]
