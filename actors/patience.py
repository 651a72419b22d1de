"""A deadline that moves with each thing that comes."""

import asyncio
from types import TracebackType
from typing import Self


class Patience:
    """A block that has ``first_s`` until something comes, and ``gap_s`` from one to the next.

    Raises TimeoutError when that is over. To move a timer with each piece of a stream costs more
    than most of what is done with the piece: this one stays where it is, and when it rings looks
    whether its time has been put off.
    """

    def __init__(self, first_s: float, gap_s: float) -> None:
        """Begin to wait when the block is entered."""
        self._first_s = first_s
        self._gap_s = gap_s
        self._timeout = asyncio.timeout(None)
        self._loop = asyncio.get_running_loop()
        self._by = 0.0
        self._timer: asyncio.TimerHandle

    async def __aenter__(self) -> Self:
        """Wait for the first."""
        await self._timeout.__aenter__()
        self._wait_until(self._loop.time() + self._first_s)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Wait no more."""
        self._timer.cancel()
        await self._timeout.__aexit__(kind, error, traceback)

    def renew(self) -> None:
        """Something has come: wait for the next."""
        self._by = self._loop.time() + self._gap_s
        if self._by < self._timer.when():  # the first may have had longer
            self._timer.cancel()
            self._wait_until(self._by)

    def _wait_until(self, by: float) -> None:
        self._by = by
        self._timer = self._loop.call_at(by, self._look)

    def _look(self) -> None:
        if self._by > self._loop.time():
            self._wait_until(self._by)
        else:
            self._timeout.reschedule(self._by)
