"""Passwords: slow to try, and never kept."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

import argon2

from access.buckets import Crowd
from protocol.refusals import FieldRefused

T = TypeVar("T")
Offload = Callable[[Callable[[], T]], Awaitable[T]]

FEWEST, MOST = 8, 1000  # characters
AT_ONCE = 1  # of each lane; each takes 64 MiB and a core for some 50 ms
EVERYBODY = ("everybody",)

# Of a password that nobody knows: checked for no account, so that both take the same time.
NOBODY = (
    "$argon2id$v=19$m=65536,t=3,p=4$nFITbA8ngPHCV0HxkkvT9g$7/NcTG"
    "+EsGcFeRsvSbVGzgltmcTJFKyunqub72iggoU"
)


class Lane:
    """Who waits for the hasher, and for whom it works."""

    def __init__(self, most_waiting: int) -> None:
        self.places = asyncio.Semaphore(AT_ONCE)
        self.crowd = Crowd("logins", AT_ONCE + most_waiting)


class Passwords:
    """Hashes and checks passwords by argon2id, with the parameters of RFC 9106 for small memory.

    Strangers, of whom anybody may send any number, wait in a lane of their own. Raises Busy where
    too many wait in a lane already.
    """

    def __init__(self, offload: Offload[object], *, most_waiting: int = 20) -> None:
        """Work in threads by ``offload``, a few at a time."""
        self._offload = offload
        self._hasher = argon2.PasswordHasher()
        self._known, self._strangers = Lane(most_waiting), Lane(most_waiting)

    async def hashed(self, password: str) -> str:
        """The hash to keep; raises FieldRefused for a password that is too short or too long."""
        if not FEWEST <= len(password) <= MOST:
            raise FieldRefused("password", f"must have {FEWEST} to {MOST} characters")
        return str(await self._in_place(self._known, partial(self._hasher.hash, password)))

    async def fit(self, kept: str, password: str, *, is_known: bool = True) -> bool:
        """Whether this is the password; takes its time also for an account that is not there.

        ``is_known``: who asks has shown already that they are no stranger to the account.
        """
        if len(password) > MOST:
            return False
        lane = self._known if is_known else self._strangers
        return bool(await self._in_place(lane, partial(self._fits, kept or NOBODY, password)))

    async def _in_place(self, lane: Lane, work: Callable[[], object]) -> object:
        leave = lane.crowd.enter(EVERYBODY)
        try:
            async with lane.places:
                return await self._offload(work)
        finally:
            leave()

    def _fits(self, kept: str, password: str) -> bool:
        try:
            return self._hasher.verify(kept, password)
        except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHash):
            return False
