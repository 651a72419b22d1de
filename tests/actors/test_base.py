"""Handlers: how they are found, and what batches do."""

import asyncio
import logging
import weakref
from collections.abc import Sequence
from typing import Any

import pytest

from actors.base import Actor, on
from actors.errors import ActorFailed, AskTimeout
from actors.ref import Ref
from protocol.base import Message, Request
from protocol.errors import Busy
from tests.actors.player import Do, Player, bear, crash, grown_tree, hang, sleep
from tests.clock import virtual


class Count(Request[int], frozen=True):
    """Reply with twice the number."""

    number: int


class Other(Message, frozen=True):
    """Something else."""


class Speech(Request[str], frozen=True):
    """Say something."""


class Parrot(Actor):
    """Says one thing."""

    @on(Speech)
    async def speak(self, message: Speech) -> str:
        """Its one thing."""
        return "parrot"


class Loud(Parrot):
    """Says another, without saying again what for."""

    async def speak(self, message: Speech) -> str:
        """Its own thing."""
        return str(await super().speak(message)).upper()


class Silent(Parrot):
    """Adds a handler, keeps the other."""

    @on(Other)
    async def other(self, message: Other) -> None:
        """Nothing."""


class Bad(Exception):
    """A bug in a batch."""


class Grouper(Actor):
    """Handles up to three at once."""

    mailbox_bound = 10_000

    def __init__(self, groups: list[list[int]]) -> None:
        super().__init__()
        self.groups = groups

    @on(Count, batch=3)
    async def count(self, messages: Sequence[Count]) -> list[int]:
        """Twice each; 13 is refused, 66 a bug, 99 the wrong number of replies."""
        numbers = [message.number for message in messages]
        self.groups.append(numbers)
        await asyncio.sleep(1)
        if 13 in numbers:
            raise Busy("13")
        if 66 in numbers:
            raise Bad
        return [2 * number for number in numbers if number != 99]

    @on(Other)
    async def other(self, message: Other) -> None:
        """One at a time."""
        self.groups.append([])


@virtual
async def test_an_overridden_handler_is_the_one_that_runs() -> None:
    """A subclass replaces a handler by its name, and adds to those that it inherits."""
    async with grown_tree() as tree:
        for kind, said in ((Parrot, "parrot"), (Loud, "PARROT"), (Silent, "parrot")):
            assert await tree.grow(kind).ask(Speech()) == said


@virtual
async def test_a_batch_keeps_the_order_and_stops_at_another_message() -> None:
    """Messages of a kind that stand one behind the other are handled at once, up to the most."""
    groups: list[list[int]] = []
    async with grown_tree() as tree:
        grouper = tree.grow(Grouper, groups)
        asked = [grouper.ask(Count(number)) for number in range(5)]
        grouper.tell(Other())
        asked += [grouper.ask(Count(5))]
        assert await asyncio.gather(*asked) == [0, 2, 4, 6, 8, 10]
    assert groups == [[0, 1, 2], [3, 4], [], [5]]
    assert tree.system.counts["grouper"].handled == 7


@virtual
async def test_an_error_of_a_batch_goes_to_all_of_it() -> None:
    """A service error is everybody's, and the actor handles the next batch."""
    async with grown_tree() as tree:
        grouper = tree.grow(Grouper, [])
        asked = [grouper.ask(Count(number)) for number in (1, 13, 2, 3)]
        outcomes = await asyncio.gather(*asked, return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [Busy, Busy, Busy, int]
        assert tree.system.counts["grouper"].failed == 3


@pytest.mark.parametrize("number", [66, 99])
@virtual
async def test_a_bug_in_a_batch_fails_all_of_it(number: int) -> None:
    """A bug, or a number of replies that is not that of the messages, stops the actor."""
    async with grown_tree() as tree:
        grouper = tree.grow(Grouper, [])
        asked = [grouper.ask(Count(n)) for n in (number, 1)]
        outcomes = await asyncio.gather(*asked, return_exceptions=True)
        assert isinstance(outcomes[-1], ActorFailed)
        assert not grouper.is_alive()
        assert tree.system.counts["grouper"].failed == 2


@virtual
async def test_who_has_left_is_left_out_of_the_batch() -> None:
    """Abandoned and expired messages are counted and not handled; the others are."""
    groups: list[list[int]] = []
    async with grown_tree() as tree:
        grouper = tree.grow(Grouper, groups)
        first = grouper.ask(Count(0))
        await asyncio.sleep(0)  # in hand
        left, late, kept = (
            grouper.ask(Count(1)),
            grouper.ask(Count(2), timeout=0.5),
            grouper.ask(Count(3)),
        )
        left.abandon()
        assert (await first, await kept) == (0, 6)
        with pytest.raises(AskTimeout):
            await late
        gone = [grouper.ask(Count(number)) for number in (4, 5)]
        for reply in gone:
            reply.abandon()
    assert groups == [[0], [3]]
    counts = tree.system.counts["grouper"]
    assert (counts.handled, counts.cancelled, counts.expired) == (2, 3, 1)


@virtual
async def test_a_leaving_asker_does_not_end_a_batch() -> None:
    """The others in the batch still want it, so it goes on."""
    async with grown_tree() as tree:
        grouper = tree.grow(Grouper, [])
        left, kept = grouper.ask(Count(1)), grouper.ask(Count(2))
        await asyncio.sleep(0.5)
        left.abandon()
        assert await kept == 4


@virtual
async def test_a_foreign_cancellation_is_a_failure() -> None:
    """Somebody who cancels the task of an actor makes it fail, it does not end silently."""
    diary: list[str] = []
    async with grown_tree() as tree:
        for wait in (sleep(0), hang):
            player = tree.grow(Player, "a", diary)
            reply = player.ask(Do(wait))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            assert player.life.task is not None
            player.life.task.cancel()
            outcome = await asyncio.gather(reply, return_exceptions=True)
            assert outcome[0] is None or isinstance(outcome[0], ActorFailed)
            await asyncio.sleep(0)
            assert not player.is_alive()
            assert diary[-1] == "a failure ForeignCancellation"
        player = tree.grow(Player, "a", diary)
        assert player.life.task is not None
        player.life.task.cancel()  # before its first step
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert not player.is_alive()


@virtual
async def test_a_handler_that_cancels_itself_is_a_failure() -> None:
    """Awaiting something that is cancelled is a bug in the handler; its asker is told."""

    async def await_cancelled(_me: Player) -> None:
        future = asyncio.get_running_loop().create_future()
        future.cancel()
        await future

    async with grown_tree() as tree:
        player = tree.grow(Player)
        with pytest.raises(ActorFailed):
            await player.ask(Do(await_cancelled))
        await asyncio.sleep(0)
        assert not player.is_alive()


@virtual
async def test_an_actor_stops_itself() -> None:
    """What waits is handled, what comes later is refused, and its children are stopped."""
    diary: list[str] = []

    async def leave(me: Player) -> Ref:
        child = me.spawn(Player, "child", diary)
        me.stop()
        return child

    async with grown_tree() as tree:
        player = tree.grow(Player, "parent", diary)
        child, last = player.ask(Do(leave)), player.ask(Do(sleep(0, "last")))
        assert await last == "last"
        assert (await child).life.name == "player"
        await player.stop()
    assert diary[-2:] == ["child stop", "parent stop"]


@virtual
async def test_an_unexpected_message_is_not_repeated_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Only its type is named, since a message may hold somebody's question."""
    with caplog.at_level(logging.DEBUG):
        async with grown_tree() as tree:
            tree.grow(Player).tell("my secret question")
    assert "secret" not in caplog.text


@virtual
async def test_an_idle_actor_holds_no_message() -> None:
    """What has been handled is let go, however long the next message takes to come."""

    class Thing:
        pass

    async with grown_tree() as tree:
        player = tree.grow(Player)
        thing = Thing()
        gone = weakref.ref(thing)
        assert await player.ask({"thing": thing}) is None
        player.tell({"thing": thing})
        await asyncio.sleep(1)
        del thing
        assert gone() is None


@virtual
async def test_a_child_that_nobody_mourns() -> None:
    """A child without restarts that fails is given up; parent and siblings go on."""
    async with grown_tree() as tree:
        parent = tree.grow(Player)
        first: Any = await parent.ask(Do(bear(Player)))
        second: Any = await parent.ask(Do(bear(Player)))
        with pytest.raises(ActorFailed):
            await first.ask(Do(crash))
        await asyncio.sleep(0)
        assert list(parent.life.children) == [second.life]
        assert await second.ask(Do(sleep(0, "well"))) == "well"
