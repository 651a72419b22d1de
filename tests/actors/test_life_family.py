"""What the failure of a child means for its parent and its siblings."""

import asyncio
from typing import ClassVar

import pytest

from actors.errors import ActorDead, ActorFailed, Escalated
from actors.policy import Policy
from actors.ref import Ref
from actors.supervisor import Tree
from actors.system import System
from tests.actors.player import (
    Do,
    Mourner,
    Note,
    Phoenix,
    Player,
    Tyrant,
    bear,
    check_nothing_left,
    crash,
    grown_tree,
    hang,
    now,
    sleep,
)
from tests.clock import virtual


@pytest.mark.parametrize("restarts", [0, 1, 4])
@virtual
async def test_it_escalates_at_exactly_one_more_than_allowed(restarts: int) -> None:
    """So many failures are forgiven; the next one takes the parent, and the tree says why."""

    class Fragile(Player):
        policy = Policy(restarts=restarts, within_s=60, escalate=True)

    tree = Tree(System())
    player = tree.grow(Fragile)
    for _ in range(restarts):
        player.tell(Do(crash))
    await asyncio.sleep(30)
    assert player.is_alive()
    assert not tree.ended.is_set()
    player.tell(Do(crash))
    await tree.ended.wait()
    assert isinstance(tree.failure, Escalated)
    assert isinstance(tree.failure.__cause__, ZeroDivisionError)
    assert tree.system.counts["fragile"].restarts == restarts
    await asyncio.sleep(0)
    check_nothing_left(tree)
    await tree.stop(1)  # also what has ended may be stopped


@virtual
async def test_siblings_are_untouched() -> None:
    """While one child fails, waits and is restarted, the others go on, with what they know."""
    diary: list[str] = []
    async with grown_tree() as tree:
        failing = tree.grow(Phoenix, "failing", diary)
        siblings = [tree.grow(Player, "sibling", diary) for _ in range(3)]
        asked = [sibling.ask(Do(sleep(10, "well"))) for sibling in siblings]
        for _ in range(3):
            failing.tell(Do(crash))
        assert await asyncio.gather(*asked) == ["well"] * 3
        assert diary.count("sibling start") == 3
        assert diary.count("failing start") == 4


@virtual
async def test_a_restarted_parent_starts_without_children() -> None:
    """The children of a failed actor are stopped before its successor starts."""
    diary: list[str] = []
    async with grown_tree() as tree:
        parent = tree.grow(Phoenix, "parent", diary)
        child: Ref = await parent.ask(Do(bear(Player, "child", diary)))
        parent.tell(Do(crash))
        assert await parent.ask(Do(bear(Player, "second", diary)))
        assert not child.is_alive()
    assert diary == [
        "parent start",
        "child start",
        "child stop",
        "parent failure ZeroDivisionError",
        "parent start",
        "second start",
        "second stop",
        "parent stop",
    ]


@virtual
async def test_an_escalation_ends_at_the_first_who_may_restart() -> None:
    """The parent that fails with its child is restarted by its own policy, on its own address."""
    diary: list[str] = []
    async with grown_tree() as tree:
        parent = tree.grow(Phoenix, "parent", diary)
        child: Ref = await parent.ask(Do(bear(Tyrant)))
        hung = parent.ask(Do(hang))
        child.tell(Do(crash))
        with pytest.raises(ActorFailed):
            await hung
        assert await parent.ask(Do(sleep(0, "back"))) == "back"
        assert tree.system.counts["phoenix"].restarts == 1
    assert "parent failure Escalated" in diary


@virtual
async def test_a_parent_may_mourn() -> None:
    """A parent that handles ChildLost is told of each child that is given up, before all else."""
    diary: list[str] = []
    async with grown_tree() as tree:
        parent = tree.grow(Mourner, "parent", diary)
        child: Ref = await parent.ask(Do(bear(Player)))
        parent.tell(Do(sleep(1)))
        parent.tell(Note("later"))
        child.tell(Do(crash))
        await asyncio.sleep(2)
    assert diary[1:-1] == ["parent lost ZeroDivisionError", "later"]


@virtual
async def test_a_parent_too_busy_to_mourn() -> None:
    """A full lane of signals loses the news, which is counted, and breaks nothing."""

    class Busy(Mourner):
        mailbox_bound = 1

    async with grown_tree() as tree:
        parent = tree.grow(Busy)
        children = [await parent.ask(Do(bear(Player))) for _ in range(2)]
        running = parent.ask(Do(sleep(1)))
        await asyncio.sleep(0)
        for child in children:
            child.tell(Do(crash))
        await running
        assert tree.system.counts["busy"].refused == 1
        assert not parent.life.children


@virtual
async def test_an_escalation_is_not_lost_in_a_cancelled_job() -> None:
    """A parent whose asker leaves in the step in which its child escalates fails all the same."""
    async with grown_tree() as tree:
        parent = tree.grow(Mourner)
        child = await parent.ask(Do(bear(Tyrant)))
        reply = parent.ask(Do(hang))
        child.tell(Do(crash))
        await asyncio.sleep(0)
        reply.abandon()
        await asyncio.sleep(1)
        assert not parent.is_alive()


@virtual
async def test_who_swallows_an_escalation_fails_after_the_message() -> None:
    """A handler that outlasts the cancellation ends its message, but the actor handles no other."""
    diary: list[str] = []

    async def endure(me: Player) -> str:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            await asyncio.sleep(1)
        return "endured"

    async with grown_tree() as tree:
        parent = tree.grow(Player, "parent", diary)
        child = await parent.ask(Do(bear(Tyrant)))
        reply = parent.ask(Do(endure))
        never = parent.ask(Do(sleep(0)))
        child.tell(Do(crash))
        assert await reply == "endured"
        with pytest.raises(ActorDead):
            await never
        assert not parent.is_alive()
    assert diary[-1] == "parent failure Escalated"


@virtual
async def test_a_child_that_fails_while_its_parent_stops() -> None:
    """Neither its restart nor its escalation keeps the parent from stopping."""
    diary: list[str] = []
    for kind in (Phoenix, Tyrant, Player):
        async with grown_tree() as tree:
            parent = tree.grow(Player, "parent", diary)
            child = await parent.ask(Do(bear(kind, "child", diary)))
            await parent.ask(Do(bear(Player, "slow", diary, stop=sleep(2))))
            stopped = parent.stop()
            await asyncio.sleep(1)
            child.tell(Do(crash))
            assert await stopped is True
        assert diary[-2:] != []
        assert diary[-1] == "parent stop"


@virtual
async def test_an_escalation_does_not_wait_for_hung_children() -> None:
    """A parent that fails with one child leaves the others a grace, not the whole time to drain."""
    async with grown_tree(drain_s=60, grace_s=0.5) as tree:
        parent = tree.grow(Phoenix)
        tyrant, hung = [await parent.ask(Do(bear(kind))) for kind in (Tyrant, Player)]
        reply, before = hung.ask(Do(hang)), now()
        await asyncio.sleep(0)
        tyrant.tell(Do(crash))
        with pytest.raises(ActorFailed):
            await reply
        assert await parent.ask(Do(sleep(0, "back"))) == "back"
        assert now() - before <= 1


class Keeper(Player):
    """Its children work on while it is restarted."""

    policy: ClassVar[Policy] = Policy(restarts=1, keeps_children=True)


@virtual
async def test_children_may_work_on_while_their_parent_is_restarted() -> None:
    """A kept child ends what it was doing, and belongs to the restarted parent."""
    diary: list[str] = []
    async with grown_tree() as tree:
        keeper = tree.grow(Keeper, "keeper", diary)
        child = await keeper.ask(Do(bear(Player, "child", diary)))
        reply = child.ask(Do(sleep(1, "done")))
        keeper.tell(Do(crash))
        assert await reply == "done"
        assert list(keeper.life.children) == [child.life]
        await keeper.stop()
        assert diary[-2:] == ["child stop", "keeper stop"]


@virtual
async def test_kept_children_end_with_a_parent_that_is_given_up() -> None:
    """Nobody is left behind without an owner."""
    async with grown_tree() as tree:
        keeper = tree.grow(Keeper)
        child = await keeper.ask(Do(bear(Player)))
        for _ in range(2):
            keeper.tell(Do(crash))
            await asyncio.sleep(1)
        assert not keeper.is_alive()
        assert not child.is_alive()


@virtual
async def test_tree_counts_its_actors() -> None:
    """The supervisor is one of them."""
    async with grown_tree() as tree:
        before = tree.actors
        tree.grow(Player, "a")
        assert tree.actors == before + 1
