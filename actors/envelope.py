"""A message on its way, and the reply that its sender may wait for."""

import asyncio
import sys
from collections.abc import Callable, Generator
from contextlib import suppress
from typing import Any, Generic, TypeVar

import pykka

from actors.context import Context
from actors.errors import AskTimeout

T = TypeVar("T")


class Reply(pykka.Future[T], Generic[T]):
    """pykka's future on the running loop: await it, or leave it to end the work behind it.

    The first outcome counts. An asker that is cancelled, or whose deadline passes, abandons the
    reply; whoever works on it hears of that through ``when_abandoned``.
    """

    def __init__(self, what: str = "An answer", timeout_s: float | None = None) -> None:
        super().__init__()
        loop = asyncio.get_running_loop()
        # A pair, not an exception: asyncio would log one that nobody came to fetch.
        self._future: asyncio.Future[tuple[T | None, BaseException | None]] = loop.create_future()
        self._what = what
        self._timeout_s = timeout_s
        self.deadline = None if timeout_s is None else loop.time() + timeout_s

    def get(self, *, timeout: float | None = None) -> T:
        """The value when it is there already; waiting here would block every actor."""
        if not self._future.done():
            raise RuntimeError(f"await the reply: get({timeout=}) would block the event loop")
        return self._unwrap()

    def set(self, value: T | None = None) -> None:
        """Settle with a value; does nothing when the asker has left."""
        self._settle((value, None))

    def set_exception(self, exc_info: Any = None) -> None:
        """Settle with an exception: one, pykka's triple of one, or that which is being handled."""
        error = exc_info or sys.exc_info()
        self._settle((None, error[1] if isinstance(error, tuple) else error))

    def set_get_hook(self, func: Any) -> None:
        """Refuse what pykka's ``map`` and its like need: they would block in ``get``."""
        raise RuntimeError(f"await the reply, then compute: {func} would block the event loop")

    def abandon(self) -> None:
        """Give the reply up, which ends the work behind it."""
        self._future.cancel()

    @property
    def settled(self) -> bool:
        """Whether it has an outcome or was abandoned."""
        return self._future.done()

    @property
    def abandoned(self) -> bool:
        """Whether the asker has left without an outcome."""
        return self._future.cancelled()

    def when_abandoned(self, call: Callable[[], None]) -> None:
        """Have ``call`` made if the asker leaves before there is an outcome."""
        self._future.add_done_callback(lambda future: call() if future.cancelled() else None)

    def __await__(self) -> Generator[Any, None, T]:
        return self._wait().__await__()

    async def _wait(self) -> T:
        try:
            if not self._future.done():
                with suppress(TimeoutError):  # the future is cancelled then, or was settled just so
                    async with asyncio.timeout_at(self.deadline):
                        await self._future
            return self._unwrap()
        finally:
            del self  # an error knows this frame, and would wait with the reply for the collector

    def _unwrap(self) -> T:
        if self._future.cancelled():
            raise AskTimeout(self._what, after_s=self._timeout_s or 0)
        value, error = self._future.result()
        try:
            if error is not None:
                raise error
            return value  # type: ignore[return-value]  # None where T allows it
        finally:
            del self, error  # as above

    def _settle(self, outcome: tuple[T | None, BaseException | None]) -> None:
        if not self._future.done():
            self._future.set_result(outcome)


class Envelope:
    """A message with its context and, for an ask, its reply."""

    __slots__ = ("context", "message", "reply_to")

    def __init__(self, message: Any, context: Context, reply_to: Reply[Any] | None = None) -> None:
        self.message = message
        self.context = context
        self.reply_to = reply_to

    @property
    def abandoned(self) -> bool:
        """Whether nobody wants the reply any more."""
        return self.reply_to is not None and self.reply_to.abandoned

    def expired(self, now: Callable[[], float]) -> bool:
        """Whether the asker's deadline has passed."""
        return self.context.deadline is not None and now() >= self.context.deadline

    def answer(self, value: Any) -> None:
        """Give the asker its value."""
        if self.reply_to is not None:
            self.reply_to.set(value)

    def fail(self, error: BaseException) -> None:
        """Give the asker an error, unless there is an outcome already."""
        if self.reply_to is not None:
            self.reply_to.set_exception(error)
