"""How lives end: drained, in order, by their deadline, and leaving nothing."""

import asyncio

import pytest

from actors.errors import ActorDead, ActorFailed, AskTimeout
from actors.supervisor import Tree
from actors.system import System
from tests.actors.player import (
    Do,
    Note,
    Phoenix,
    Player,
    bear,
    check_nothing_left,
    crash,
    grown_tree,
    hang,
    now,
    sleep,
)
from tests.clock import virtual


@virtual
async def test_stop_drains() -> None:
    """What was sent before a stop is handled, what comes after is refused."""
    diary: list[str] = []
    async with grown_tree() as tree:
        player = tree.grow(Player, "a", diary)
        for text in "123":
            player.tell(Note(text))
        stopped = player.stop()
        with pytest.raises(ActorDead):
            player.tell(Note("4"))
        with pytest.raises(ActorDead):
            await player.ask(Do(sleep(0)))
        assert await stopped is True
    assert diary == ["a start", "1", "2", "3", "a stop"]
    assert tree.system.counts["player"].refused == 2


@virtual
async def test_stop_without_drain_drops_what_waits() -> None:
    """Without drain the running message is finished, the waiting ones go to the dead letters."""
    diary: list[str] = []
    async with grown_tree() as tree:
        player = tree.grow(Player, "a", diary)
        running = player.ask(Do(sleep(1, "done")))
        waiting = player.ask(Do(sleep(1)))
        player.tell(Note("never"))
        await asyncio.sleep(0)
        stopped = player.stop(drain=False)
        with pytest.raises(ActorDead):
            await waiting
        assert await running == "done"
        assert await stopped is True
    assert diary == ["a start", "a stop"]
    assert tree.system.counts["player"].dead == 2


@virtual
async def test_stopping_the_dead_is_false() -> None:
    """A stop tells whether there was anything to stop; while it is being stopped there is."""
    async with grown_tree() as tree:
        player = tree.grow(Player)
        first, second = player.stop(), player.stop()
        assert (await first, await second, await player.stop()) == (True, True, False)


@virtual
async def test_children_stop_before_their_parent_newest_first() -> None:
    """Each child has stopped before the next older one is asked to, and the parent comes last."""
    diary: list[str] = []
    async with grown_tree() as tree:
        parent = tree.grow(Player, "parent", diary, stop=sleep(0.1))
        for name in ("old", "middle", "new"):
            await parent.ask(Do(bear(Player, name, diary, stop=sleep(0.1))))
        await parent.stop()
    assert diary[-4:] == ["new stop", "middle stop", "old stop", "parent stop"]


@virtual
async def test_a_tree_stops_newest_first() -> None:
    """What was grown last stops first, so that it may use the earlier ones to the end."""
    diary: list[str] = []
    async with grown_tree() as tree:
        store = tree.grow(Player, "store", diary)

        async def save(_me: Player) -> None:
            await store.ask(Do(sleep(0.01)))

        tree.grow(Player, "user", diary, stop=save)
        await asyncio.sleep(0)
    assert diary[-2:] == ["user stop", "store stop"]
    assert tree.system.counts["player"].handled == 1


@virtual
async def test_shutdown_meets_its_deadline_with_hung_handlers() -> None:
    """Hung handlers are torn away in time, and everything else has still stopped in order."""
    diary: list[str] = []
    tree = Tree(System(grace_s=0.5))
    for name in ("old", "new"):
        tree.grow(Player, name, diary).tell(Do(hang))
    tree.grow(Player, "idle", diary)
    await asyncio.sleep(0)
    before = now()
    await tree.stop(3)
    assert now() - before <= 3.5
    assert tree.ended.is_set()
    await asyncio.sleep(0)
    check_nothing_left(tree)
    assert diary[3:] == [
        "idle stop",
        "new torn away",
        "new failure Killed",
        "old torn away",
        "old failure Killed",
    ]


@virtual
async def test_killed_in_a_deep_tree_everything_ends() -> None:
    """A deadline that passes while parents wait for a hung grandchild ends every one of them."""
    diary: list[str] = []
    async with grown_tree() as tree:
        top = tree.grow(Player, "top", diary)
        elder = await top.ask(Do(bear(Player, "elder", diary)))
        middle = await top.ask(Do(bear(Player, "middle", diary)))
        bottom = await middle.ask(Do(bear(Player, "bottom", diary)))
        bottom.tell(Do(hang))
        before = now()
        assert await top.stop(timeout=4) is True
        assert now() - before <= 4.5
        for ref in (top, elder, middle, bottom):
            assert await ref.stop() is False
    assert diary[-3:] == ["middle stop", "elder stop", "top stop"]


@virtual
async def test_nothing_grows_below_what_is_ending() -> None:
    """While it drains an actor may start children; once those are being stopped it may not."""
    async with grown_tree() as tree:
        parent = tree.grow(Player)
        await parent.ask(Do(bear(Player, stop=sleep(1))))
        drained = parent.ask(Do(bear(Player, stop=sleep(1))))
        parent.stop()
        assert (await drained).life.name == "player"
        await asyncio.sleep(0.5)
        with pytest.raises(ActorDead):
            parent.life.spawn(Player, (), {})


@virtual
async def test_a_stop_during_the_pause_before_a_restart() -> None:
    """Between a failure and its restart a stop ends at once; what waits is dead, not lost."""
    async with grown_tree() as tree:
        player = tree.grow(Phoenix)
        for _ in range(2):
            player.tell(Do(crash))
        waiting = player.ask(Do(sleep(0)))
        await asyncio.sleep(0.5)  # the second pause is one second
        before = now()
        assert await player.stop() is True
        assert now() == before
        with pytest.raises(ActorDead):
            await waiting


@virtual
async def test_stop_and_stop_again_with_less_time() -> None:
    """The soonest of several deadlines counts, and no timer outlives the actor."""
    async with grown_tree() as tree:
        for times in ((5.0, 1.0), (1.0, 5.0), (None, 1.0)):
            player = tree.grow(Player)
            player.tell(Do(hang))
            await asyncio.sleep(0)
            before = now()
            first, second = (player.stop(timeout=time) for time in times)
            assert await first is await second is True
            assert now() - before == pytest.approx(1.0)


@virtual
async def test_a_stop_that_nobody_can_fulfil_waits_no_longer_than_its_asker() -> None:
    """An actor that stops itself from within waits for itself; its deadline ends that."""
    async with grown_tree() as tree:
        player = tree.grow(Player)

        async def stop_oneself(me: Player) -> None:
            await me.ref.stop(timeout=1)

        with pytest.raises((ActorFailed, AskTimeout)):
            await player.ask(Do(stop_oneself), timeout=5)
