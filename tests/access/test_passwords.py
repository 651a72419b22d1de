"""Passwords wait for the hasher in a short line."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from access.passwords import AT_ONCE, NOBODY, Passwords
from protocol.errors import Busy


async def test_more_than_may_wait_for_the_hasher_are_refused() -> None:
    """At once, so that a flood of logins holds up nobody else; later ones are checked again."""
    gate = asyncio.Event()

    async def offload(_work: Callable[[], Any]) -> bool:
        await gate.wait()
        return True

    passwords = Passwords(offload, most_waiting=3)
    waiting = [asyncio.ensure_future(passwords.fit(NOBODY, "a guess")) for _ in range(AT_ONCE + 3)]
    await asyncio.sleep(0)
    with pytest.raises(Busy):
        await passwords.hashed("another password")
    gate.set()
    assert await asyncio.gather(*waiting) == [True] * (AT_ONCE + 3)
    assert await passwords.fit(NOBODY, "a guess")


async def test_strangers_do_not_hold_up_who_is_known() -> None:
    """However many of them wait."""
    gate = asyncio.Event()
    begun = list[str]()

    async def offload(_work: Callable[[], Any]) -> bool:
        begun.append("one")
        await gate.wait()
        return True

    passwords = Passwords(offload, most_waiting=3)
    strangers = [
        asyncio.ensure_future(passwords.fit(NOBODY, "a guess", is_known=False))
        for _ in range(AT_ONCE + 3)
    ]
    await asyncio.sleep(0)
    with pytest.raises(Busy):
        await passwords.fit(NOBODY, "a guess", is_known=False)
    known = asyncio.ensure_future(passwords.fit(NOBODY, "mine"))
    await asyncio.sleep(0)
    assert len(begun) == 2 * AT_ONCE
    gate.set()
    assert await asyncio.gather(known, *strangers) == [True] * (AT_ONCE + 4)
