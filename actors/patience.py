"""A deadline that moves with each thing that comes."""

import asyncio
from types import TracebackType
from typing import Self

from upstreams.diary import NO_FIRST_WORD, SILENT


class Patience:
    """A block that has ``first_s`` until something comes, and ``gap_s`` from one to the next.

    Raises TimeoutError when that is over; what is cancelled then is told why. To move a timer with
    each piece of a stream costs more than most of what is done with the piece: this one stays where
    it is, and when it rings looks whether its time has been put off.
    """

    def __init__(self, first_s: float, gap_s: float) -> None:
        """Begin to wait when the block is entered."""
        self._first_s = first_s
        self._gap_s = gap_s
        self._loop = asyncio.get_running_loop()
        self._by = 0.0
        self._reason = NO_FIRST_WORD
        self._is_over = False
        self._timer: asyncio.TimerHandle
        self._task: asyncio.Task[object]
        self._cancelled_before: int

    async def __aenter__(self) -> Self:
        """Wait for the first."""
        task = asyncio.current_task()
        assert task is not None
        self._task, self._cancelled_before = task, task.cancelling()
        self._wait_until(self._loop.time() + self._first_s)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Wait no more; as with ``asyncio.timeout``, who is cancelled by others too stays so."""
        del traceback
        self._timer.cancel()
        is_ours_alone = self._is_over and self._task.uncancel() <= self._cancelled_before
        if is_ours_alone and kind is asyncio.CancelledError:
            raise TimeoutError from error

    def renew(self) -> None:
        """Something has come: wait for the next."""
        self._by = self._loop.time() + self._gap_s
        self._reason = SILENT
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
            self._is_over = True
            self._task.cancel(self._reason)
