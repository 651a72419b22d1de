"""Telling and asking: order, bounds, deadlines, and askers that leave."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from actors.errors import ActorDead, ActorFailed, AskTimeout, MailboxFull
from actors.ref import Ref
from protocol.base import Request
from protocol.errors import Busy, ServiceError
from tests.actors.player import (
    Do,
    Hurry,
    Note,
    Phoenix,
    Player,
    check_books,
    crash,
    grown_tree,
    pass_on,
    refuse,
    sleep,
)
from tests.clock import virtual


class Narrow(Player):
    """Three may wait."""

    mailbox_bound = 3


@virtual
async def test_first_in_first_out() -> None:
    """What one sender sends arrives in its order, tells and asks alike."""
    diary: list[str] = []

    async def write(text: str, me: Player) -> None:
        me.diary.append(text)

    async with grown_tree() as tree:
        player = tree.grow(Player, "a", diary)
        for number in range(20):
            text = str(number)
            if number % 2:
                player.tell(Note(text))
            else:
                player.ask(Do(partial(write, text)))
    assert diary[1:-1] == [*map(str, range(20))]


@virtual
async def test_signals_go_ahead_of_the_queue() -> None:
    """A signal is handled next, whatever waits; the message in hand is finished first."""
    diary: list[str] = []
    async with grown_tree() as tree:
        player = tree.grow(Player, "a", diary)
        player.tell(Do(sleep(1)))
        await asyncio.sleep(0)
        player.tell(Note("queued"))
        player.tell(Hurry("first"))
        player.tell(Hurry("second"))
    assert diary[1:-1] == ["first", "second", "queued"]


@virtual
async def test_one_message_at_a_time() -> None:
    """No handler begins before the last one has ended."""
    inside = most = 0

    async def enter(_me: Player) -> None:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        await asyncio.sleep(0.1)
        inside -= 1

    async with grown_tree() as tree:
        player = tree.grow(Player)
        await asyncio.gather(*(player.ask(Do(enter)) for _ in range(10)))
    assert most == 1


@virtual
async def test_the_bound_refuses_and_counts() -> None:
    """Over the bound a tell raises, an ask fails; both are counted as refused, not accepted."""
    async with grown_tree() as tree:
        player = tree.grow(Narrow)
        player.tell(Do(sleep(1)))
        await asyncio.sleep(0)  # in hand now, so it takes no place in the line
        for _ in range(3):
            player.tell(Note("fits"))
        with pytest.raises(MailboxFull):
            player.tell(Note("over"))
        with pytest.raises(MailboxFull):
            await player.ask(Do(sleep(0)))
        counts = tree.system.counts["narrow"]
        assert (counts.accepted, counts.refused) == (4, 2)
        check_books(tree.system, waiting=4)


@virtual
async def test_an_ask_is_answered() -> None:
    """The reply is what the handler returned, None included."""
    async with grown_tree() as tree:
        player = tree.grow(Player)
        assert await player.ask(Do(sleep(0, 7)), timeout=1) == 7
        assert await player.ask(Do(sleep(0))) is None


@virtual
async def test_a_service_error_goes_to_the_asker_alone() -> None:
    """The asker gets the very error, the actor lives, and a teller's is only counted."""
    async with grown_tree() as tree:
        player = tree.grow(Player)
        with pytest.raises(Busy):
            await player.ask(Do(refuse))
        player.tell(Do(refuse))
        assert await player.ask(Do(sleep(0, "well"))) == "well"
        counts = tree.system.counts["player"]
        assert (counts.failed, counts.handled, counts.restarts) == (2, 1, 0)


@virtual
async def test_a_bug_is_told_as_failure_and_stops_the_actor() -> None:
    """The asker learns that it broke, not how; who waits behind it finds the actor dead."""
    async with grown_tree() as tree:
        player = tree.grow(Player)
        broken, behind = player.ask(Do(crash)), player.ask(Do(sleep(0)))
        with pytest.raises(ActorFailed) as failed:
            await broken
        assert "ZeroDivision" not in str(failed.value)
        assert isinstance(failed.value, ServiceError)
        with pytest.raises(ActorDead):
            await behind
        assert not player.is_alive()


@virtual
async def test_a_bug_below_does_not_break_the_asker() -> None:
    """An actor whose own ask fails passes the failure on and lives."""
    async with grown_tree() as tree:
        first, second = tree.grow(Player), tree.grow(Player)
        with pytest.raises(ActorFailed):
            await first.ask(Do(pass_on(second, crash)))
        assert first.is_alive()
        assert not second.is_alive()


async def stop(ref: Ref) -> None:
    await ref.stop()


async def stop_at_once(ref: Ref) -> None:
    await ref.stop(drain=False, timeout=0)


async def kill(ref: Ref) -> None:
    ref.life.kill()


async def break_it(ref: Ref) -> None:
    ref.tell(Do(crash))


@pytest.mark.parametrize("end", [stop, stop_at_once, kill, break_it])
@pytest.mark.parametrize("kind", [Player, Phoenix])
@virtual
async def test_every_ask_ends(kind: type[Player], end: Callable[[Ref], Any]) -> None:
    """Whatever happens to the actor, and in whichever step, each asker gets an outcome."""
    for before in range(5):
        async with grown_tree() as tree:
            ref = tree.grow(kind)
            asked = [ref.ask(Do(sleep(seconds))) for seconds in (0, 0, 1, 0)]
            for _ in range(before):
                await asyncio.sleep(0)
            ending = asyncio.ensure_future(end(ref))
            asked += [ref.ask(Do(sleep(0))) for _ in range(2)]
            await asyncio.sleep(0)
            asked += [ref.ask(Do(sleep(0))) for _ in range(2)]
            await ending
            outcomes = await asyncio.gather(*asked, return_exceptions=True)
            assert all(isinstance(o, ServiceError) or o is None for o in outcomes)


@virtual
async def test_many_askers_of_one_slow_actor() -> None:
    """Each of a thousand askers gets its own answer or its own time-out."""
    async with grown_tree() as tree:
        player = tree.grow(Player)
        asked = [player.ask(Do(sleep(0.01, n)), timeout=5.0) for n in range(1000)]
        outcomes = await asyncio.gather(*asked, return_exceptions=True)
        answered = [outcome for outcome in outcomes if isinstance(outcome, int)]
        assert answered == [*range(len(answered))]
        assert len(answered) in range(490, 502)
        assert all(isinstance(o, AskTimeout) for o in outcomes[len(answered) :])


class Odd(Request[int], frozen=True):
    """Nobody handles this."""


@virtual
async def test_a_message_without_handler_is_answered_with_none() -> None:
    """As in pykka it goes to on_receive, whose default is to log it and to return None."""
    async with grown_tree() as tree:
        player = tree.grow(Player)
        assert await player.ask(Odd()) is None
        assert player.is_alive()
