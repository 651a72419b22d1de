"""An actor's waiting line: bounded, first in first out, with a lane for signals ahead of it."""

import asyncio
from collections import deque

from actors.envelope import Envelope
from actors.errors import ActorDead, MailboxFull
from protocol.base import Signal


class Mailbox:
    """What waits for one actor; it outlives a restart of the actor."""

    __slots__ = ("_bound", "_closed", "_name", "_queue", "_signals", "_waiter")

    def __init__(self, name: str, bound: int) -> None:
        self._name = name
        self._bound = bound
        # Made when used: in the thousands of idle actors nothing waits.
        self._queue: deque[Envelope] | None = None
        self._signals: deque[Envelope] | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._closed = False

    def __len__(self) -> int:
        return len(self._queue or ()) + len(self._signals or ())

    def empty(self) -> bool:
        """Whether nothing waits (pykka's name for it)."""
        return not self._queue and not self._signals

    @property
    def closed(self) -> bool:
        """Whether it takes nothing more; what waits may still be taken out."""
        return self._closed

    def put(self, envelope: Envelope) -> None:
        """Add a message; raises ActorDead when closed and MailboxFull over the bound."""
        if self._closed:
            raise ActorDead(self._name)
        lane = self._lane(envelope)
        if len(lane) >= self._bound:
            raise MailboxFull(self._name)
        lane.append(envelope)
        self._wake()

    def close(self) -> None:
        """Take nothing more."""
        self._closed = True
        self._wake()

    async def get(self) -> Envelope | None:
        """The next message, signals first; ``None`` once closed and empty."""
        while self.empty():
            if self._closed:
                return None
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        return self._take()

    def take_like(self, message: object, most: int) -> list[Envelope]:
        """At most ``most`` further messages of the same type that stand next in line."""
        taken: list[Envelope] = []
        queue = self._queue
        while queue and len(taken) < most and type(queue[0].message) is type(message):
            taken.append(queue.popleft())
        return taken

    def drain(self) -> list[Envelope]:
        """Everything that waits, taken out."""
        rest = [*(self._signals or ()), *(self._queue or ())]
        self._signals = self._queue = None
        return rest

    def _lane(self, envelope: Envelope) -> deque[Envelope]:
        if isinstance(envelope.message, Signal):
            if self._signals is None:
                self._signals = deque()
            return self._signals
        if self._queue is None:
            self._queue = deque()
        return self._queue

    def _take(self) -> Envelope:
        if self._signals:
            return self._signals.popleft()
        assert self._queue
        envelope = self._queue.popleft()
        self._queue = self._queue or None
        return envelope

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
