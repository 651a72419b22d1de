"""A second try for calls that may be made twice, where their failure is likely to pass."""

import asyncio
import math
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from functools import partial
from http import HTTPStatus
from typing import TypeVar

import structlog

from protocol.errors import ServiceError
from upstreams.diary import note
from upstreams.tally import Tally

log = structlog.get_logger(__name__)
T = TypeVar("T")

SHARE = 0.5  # of a call's time: a second try later than that has too little left to succeed
# Not the same for all who wait, so that they do not come back together.
LEAST_PAUSE_S, SPREAD_S = 0.05, 0.2
SERVER_ERRORS = range(500, 600)
COMMON = frozenset(HTTPStatus)
# How a call ended, where it did not by a status: well; without a reply that can be used; with an
# asker who did not wait for it any longer.
WELL, NO_REPLY, LEFT = "2xx", "none", "left"


class Retry:
    """Makes a call again whose error says that this may help, while there is time for it."""

    def __init__(
        self,
        most: int,
        tally: Tally,
        *,
        random: Callable[[], float],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare to make calls up to ``most`` times again; ``random`` gives 0 up to 1."""
        self.tally = tally
        self._most = most
        self._random = random
        self.clock = clock

    async def __call__(
        self, upstream: str, ask: Callable[[], Awaitable[T]], *, within_s: float
    ) -> T:
        """What ``ask`` gives, or its last error.

        Args:
            upstream: Whom it asks, for the log and the tally.
            ask: Makes the call anew each time; doing so must not do anything twice.
            within_s: Seconds that the caller is willing to wait in all. It is he who ends the
                wait: here they only tell whether a further try is worth while.

        """
        latest = self.clock() + SHARE * within_s
        for _ in range(self._most):
            try:
                return await self._counted(upstream, ask)
            except ServiceError as error:
                pause_s = self._pause_s(error)
                if self.clock() + pause_s > latest:
                    raise
                key = error.key
            self.tally.add("retried", upstream)
            note("retried", upstream=upstream, key=key, pause_ms=round(1000 * pause_s))
            log.info("call.retried", upstream=upstream, key=key, pause_ms=round(1000 * pause_s))
            await asyncio.sleep(pause_s)
        return await self._counted(upstream, ask)

    async def pieces(
        self, upstream: str, make: Callable[[], AsyncGenerator[T, None]], *, within_s: float
    ) -> AsyncGenerator[T, None]:
        """What comes piece by piece; made again only while there was no piece."""
        first, others = await self(upstream, partial(_begun, make), within_s=within_s)
        async with aclosing(others):
            for piece in first:
                yield piece
            async for piece in others:
                yield piece

    async def _counted(self, upstream: str, ask: Callable[[], Awaitable[T]]) -> T:
        ended = LEFT
        try:
            made = await ask()
            ended = WELL
        except ServiceError as error:
            ended = code_shown(error.code)
            raise
        finally:
            self.tally.called(upstream, ended)
        return made

    def _pause_s(self, error: ServiceError) -> float:
        """Seconds to wait before the next try; without end where that cannot help."""
        wanted_s = math.inf if error.again_after_s is None else error.again_after_s
        return wanted_s + LEAST_PAUSE_S + SPREAD_S * self._random()


async def _begun(
    make: Callable[[], AsyncGenerator[T, None]],
) -> tuple[list[T], AsyncGenerator[T, None]]:
    """The first piece, if there is one, and the rest."""
    made = make()
    try:
        return [await anext(made)], made
    except StopAsyncIteration:
        return [], made


def code_shown(code: int | None) -> str:
    """A status by its number where it is a common one: sites of anybody send any."""
    if code is None:
        return NO_REPLY
    return str(code) if code in COMMON else f"{code // 100}xx"


def once() -> Retry:
    """Makes no call again."""
    return Retry(0, Tally(), random=float)


def after_status(status: int, retry_after: str = "") -> float | None:
    """Seconds after which a call refused so may succeed; ``None`` where that is not to be hoped.

    A service that is busy or broken may be well in a moment, or when it says. A date, or what is
    no number of seconds, is not read: nobody is asked sooner than he wants to be.
    """
    if status != HTTPStatus.TOO_MANY_REQUESTS and status not in SERVER_ERRORS:
        return None
    text = retry_after.strip()
    if not text:
        return 0.0
    return float(text) if text.isascii() and text.isdigit() else None
