"""Replies: one outcome, awaited or abandoned, never blocked on."""

import asyncio
from typing import Any

import pykka
import pytest

from actors.envelope import Reply
from actors.errors import AskTimeout
from tests.clock import virtual


@virtual
async def test_a_reply_gives_its_value_to_all_who_await() -> None:
    """A settled reply can be awaited again, and read without waiting."""
    reply = Reply[int]()
    asyncio.get_running_loop().call_later(1, reply.set, 7)
    assert list(await asyncio.gather(reply, reply)) == [7, 7]
    assert await reply == reply.get() == 7


@virtual
async def test_the_first_outcome_counts() -> None:
    """Later values and errors change nothing, and harm nobody."""
    reply = Reply[int]()
    reply.set(1)
    reply.set(2)
    reply.set_exception(ValueError())
    reply.abandon()
    assert await reply == 1
    assert not reply.abandoned


@virtual
async def test_an_error_is_raised_each_time() -> None:
    """An exception, or pykka's triple of one, is what awaiting and reading raise."""
    error = ValueError("odd")
    for given in (error, (ValueError, error, None)):
        reply = Reply[int]()
        reply.set_exception(given)
        with pytest.raises(ValueError, match="odd"):
            await reply
        with pytest.raises(ValueError, match="odd"):
            reply.get()


@virtual
async def test_the_error_that_is_being_handled_is_the_default() -> None:
    """Without an argument, the exception of the surrounding except block is set, as in pykka."""
    reply = Reply[int]()
    try:
        raise ValueError("handled")  # noqa: TRY301 - it is the subject
    except ValueError:
        reply.set_exception()
    with pytest.raises(ValueError, match="handled"):
        await reply


@virtual
async def test_blocking_is_refused() -> None:
    """What would block every actor says so at once: reading early, and pykka's derived futures."""
    reply: Any = Reply[list[int]]()
    for block in (
        reply.get,
        lambda: reply.get(timeout=1),
        lambda: pykka.get_all([reply]),
        lambda: reply.map(len),
        lambda: reply.filter(bool),
        lambda: reply.join(reply),
        lambda: reply.reduce(max),
        lambda: list(reply),
    ):
        with pytest.raises(RuntimeError, match="await"):
            block()
    assert not reply.settled


@virtual
async def test_a_deadline_ends_the_wait_and_the_work() -> None:
    """At its deadline the asker is told, and whoever works on the reply hears that it left."""
    heard: list[float] = []
    loop = asyncio.get_running_loop()
    before = loop.time()
    reply = Reply[int]("The thing", timeout_s=2)
    reply.when_abandoned(lambda: heard.append(loop.time() - before))
    with pytest.raises(AskTimeout, match="The thing took longer than 2 s"):
        await reply
    await asyncio.sleep(0)
    assert heard == [2]
    assert reply.abandoned
    reply.set(1)
    assert reply.abandoned


@virtual
async def test_awaiting_what_was_abandoned_is_a_timeout() -> None:
    """Whoever awaits a reply that was given up gets an error, not a cancellation of itself."""
    reply = Reply[int]("The thing", timeout_s=1)
    for _ in range(2):
        with pytest.raises(AskTimeout):
            await reply
    reply = Reply[int]("The thing")
    reply.abandon()
    with pytest.raises(AskTimeout):
        await reply
    with pytest.raises(AskTimeout):
        reply.get()


@virtual
async def test_a_cancelled_asker_abandons() -> None:
    """Cancelling who waits abandons what it waits for."""
    reply = Reply[int]()
    waiting = asyncio.ensure_future(reply)
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert waiting.cancelled()
    assert reply.abandoned


@virtual
async def test_who_is_content_is_not_told_of_leaving() -> None:
    """A reply that had its outcome calls nobody."""
    calls: list[int] = []
    reply = Reply[int]()
    reply.when_abandoned(lambda: calls.append(1))
    reply.set(1)
    await reply
    reply.abandon()
    await asyncio.sleep(0)
    assert not calls
