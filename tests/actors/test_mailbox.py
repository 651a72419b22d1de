"""The waiting line itself."""

import asyncio

import pytest

from actors.context import Context
from actors.envelope import Envelope
from actors.errors import ActorDead, MailboxFull
from actors.mailbox import Mailbox
from tests.actors.player import Hurry, Note
from tests.clock import virtual


def wrapped(message: object) -> Envelope:
    return Envelope(message, Context())


@pytest.mark.parametrize("bound", [1, 2, 100])
def test_the_bound_is_exact(bound: int) -> None:
    """Exactly as many as the bound fit; the next is refused and changes nothing."""
    mailbox = Mailbox("x", bound)
    for number in range(bound):
        mailbox.put(wrapped(Note(str(number))))
    with pytest.raises(MailboxFull):
        mailbox.put(wrapped(Note("over")))
    assert len(mailbox) == bound
    assert [envelope.message.text for envelope in mailbox.drain()] == [*map(str, range(bound))]
    mailbox.put(wrapped(Note("again")))
    assert len(mailbox) == 1


@virtual
async def test_signals_go_ahead() -> None:
    """A signal passes all that waits, also a full line, but no earlier signal."""
    mailbox = Mailbox("x", 2)
    for message in (Note("1"), Note("2"), Hurry("a"), Hurry("b")):
        mailbox.put(wrapped(message))
    with pytest.raises(MailboxFull):
        mailbox.put(wrapped(Hurry("c")))
    taken = [await mailbox.get() for _ in range(4)]
    assert [envelope.message.text for envelope in taken if envelope] == ["a", "b", "1", "2"]


@virtual
async def test_closed_gives_what_it_holds_and_then_none() -> None:
    """A closed mailbox takes nothing, and gives out the rest before it says that it is empty."""
    mailbox = Mailbox("x", 9)
    mailbox.put(wrapped(Note("1")))
    mailbox.close()
    with pytest.raises(ActorDead):
        mailbox.put(wrapped(Note("2")))
    assert await mailbox.get() is not None
    assert await mailbox.get() is None


@virtual
async def test_closing_wakes_who_waits() -> None:
    """Who waits for a message learns that none will come."""
    mailbox = Mailbox("x", 9)
    waiting = asyncio.ensure_future(mailbox.get())
    await asyncio.sleep(0)
    mailbox.close()
    assert await waiting is None


@virtual
async def test_a_cancelled_wait_loses_nothing() -> None:
    """A message that arrives in the step in which its receiver is cancelled stays in line."""
    mailbox = Mailbox("x", 9)
    waiting = asyncio.ensure_future(mailbox.get())
    await asyncio.sleep(0)
    mailbox.put(wrapped(Note("1")))
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert waiting.cancelled()
    assert len(mailbox) == 1
    assert await mailbox.get() is not None


def test_like_messages_are_taken_only_from_the_head() -> None:
    """A batch takes what stands next and is of the same type, never past another."""
    mailbox = Mailbox("x", 9)
    for message in (Note("1"), Note("2"), Note("3"), "other", Note("4")):
        mailbox.put(wrapped(message))
    assert [e.message.text for e in mailbox.take_like(Note(""), 2)] == ["1", "2"]
    assert [e.message.text for e in mailbox.take_like(Note(""), 9)] == ["3"]
    assert mailbox.take_like(Note(""), 9) == []
    assert len(mailbox) == 2
