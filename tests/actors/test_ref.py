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
    hang,
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


@virtual
async def test_a_leaving_asker_cancels_its_own_work_through_any_number_of_asks() -> None:
    """Every handler that works for it is torn away, no other message is touched."""
    diary: list[str] = []
    async with grown_tree() as tree:
        names = ("a", "b", "c", "d")
        a, b, c, d = (tree.grow(Player, name, diary) for name in names)
        work = pass_on(b, pass_on(c, pass_on(d, hang)))
        leaving = asyncio.ensure_future(a.ask(Do(work)))
        await asyncio.sleep(1)
        behind = [ref.ask(Do(sleep(0, "kept"))) for ref in (a, b, c, d)]
        leaving.cancel()
        assert await asyncio.gather(*behind) == ["kept"] * 4
        counts = tree.system.counts["player"]
        assert (counts.cancelled, counts.handled, counts.failed) == (4, 4, 0)
    assert diary.count("d torn away") == 1


@virtual
async def test_a_leaving_asker_cancels_what_it_asked_at_once() -> None:
    """Several asks that are awaited together are all given up together."""
    async with grown_tree() as tree:
        asker, first, second = (tree.grow(Player) for _ in range(3))

        async def both(_me: Player) -> Any:
            return await asyncio.gather(first.ask(Do(hang)), second.ask(Do(hang)))

        with pytest.raises(AskTimeout):
            await asker.ask(Do(both), timeout=1)
        for ref in (asker, first, second):
            assert await ref.ask(Do(sleep(0, "free"))) == "free"


@virtual
async def test_what_waits_for_a_leaving_asker_is_not_begun() -> None:
    """A message whose asker left while it stood in line is counted as cancelled, not handled."""
    diary: list[str] = []

    async def write(me: Player) -> None:
        me.diary.append("begun")

    async with grown_tree() as tree:
        player = tree.grow(Player, "a", diary)
        player.tell(Do(sleep(1)))
        player.ask(Do(write)).abandon()
    assert "begun" not in diary
    assert tree.system.counts["player"].cancelled == 1


@virtual
async def test_expired_messages_are_not_handled() -> None:
    """A message whose time passed in line is not begun, and its asker is told, if it still asks."""
    diary: list[str] = []

    async def write(me: Player) -> None:
        me.diary.append("begun")

    async with grown_tree() as tree:
        player = tree.grow(Player, "a", diary)
        player.tell(Do(sleep(5)))
        reply = player.ask(Do(write), timeout=2)  # nobody awaits it, so nobody abandons it
        await asyncio.sleep(6)
        assert reply.settled
        with pytest.raises(AskTimeout):
            await reply
    assert "begun" not in diary
    assert tree.system.counts["player"].expired == 1


@virtual
async def test_leaving_as_the_handler_ends() -> None:
    """Whichever comes first, in whichever step: the next message is never hit in its place."""
    for late in range(6):
        async with grown_tree() as tree:
            player = tree.grow(Player)

            async def steps(_me: Player) -> str:
                for _ in range(3):
                    await asyncio.sleep(0)
                return "done"

            reply, following = player.ask(Do(steps)), player.ask(Do(steps))
            for _ in range(late):
                await asyncio.sleep(0)
            reply.abandon()
            assert await following == "done"
            assert player.is_alive()


@virtual
async def test_a_handler_may_clean_up_when_its_asker_has_left() -> None:
    """Awaits in its finally work; the next message begins when it has finished."""
    diary: list[str] = []

    async def careful(me: Player) -> None:
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(1)
            me.diary.append("cleaned")

    async def stubborn(me: Player) -> str:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            async with asyncio.timeout(5):
                await asyncio.sleep(1)
        me.diary.append("finished")
        return "nobody hears this"

    async with grown_tree() as tree:
        player = tree.grow(Player, "a", diary)
        for act in (careful, stubborn):
            with pytest.raises(AskTimeout):
                await player.ask(Do(act), timeout=1)
            player.tell(Note("next"))
            await player.ask(Do(sleep(0)))
    assert diary[1:-1] == ["cleaned", "next", "finished", "next"]


@virtual
async def test_a_time_out_inside_a_handler_is_its_own_affair() -> None:
    """Whether the handler's time-out or the asker's comes first or both at once, nothing breaks."""

    async def impatient(_me: Player) -> str:
        try:
            async with asyncio.timeout(2):
                await asyncio.sleep(60)
        except TimeoutError:
            return "gave up"
        return "never"

    async with grown_tree() as tree:
        player = tree.grow(Player)
        for timeout in (1.0, 2.0, 3.0):
            try:
                assert await player.ask(Do(impatient), timeout=timeout) == "gave up"
            except AskTimeout:
                assert timeout <= 2
            assert await player.ask(Do(sleep(0, "well"))) == "well"


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
