"""A body on its way from the client to its route."""

import asyncio
from collections import deque
from typing import Self

from protocol.errors import ServiceError
from transport.reader import RequestReader
from transport.refusals import RequestTooSlow

MOST_WAITING = 256 * 1024  # bytes that the route has not taken; over it, nothing more is read


class Inflow:
    """Pieces of a body, which a route takes at its own speed.

    Taking a piece raises a ServiceError where the body cannot be read, is too large, or comes too
    slowly: the route waits for ``patience_s`` at most, all its waits together, and a second more
    for each ``rate`` bytes that have come. What the route itself takes is not counted.
    """

    def __init__(self, transport: asyncio.Transport, *, patience_s: float, rate: float) -> None:
        """Begin empty; the transport is left unread while too much waits."""
        self._transport = transport
        self._patience_s = patience_s
        self._rate = rate
        self._waited_s = 0.0
        self._came = 0
        self._pieces: deque[bytes] = deque()
        self._waiting = 0
        self._error: ServiceError | None = None
        self._woken = asyncio.Event()
        self.is_whole = False

    def pump(self, reader: RequestReader) -> None:
        """Take in what the reader has of the body; what follows its end stays there."""
        if self._error is None:
            try:
                data, self.is_whole = reader.piece()
            except ServiceError as error:
                self._error = error
            else:
                self._take(data)
            self._woken.set()
        if self._error is not None or self._waiting > MOST_WAITING:
            self._transport.pause_reading()

    def _take(self, data: bytes) -> None:
        if data:
            self._pieces.append(data)
            self._waiting += len(data)
            self._came += len(data)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        while not self._pieces:
            if self._error is not None:
                raise self._error
            if self.is_whole:
                raise StopAsyncIteration
            await self._wait()
        piece = self._pieces.popleft()
        self._waiting -= len(piece)
        if self._error is None and self._waiting <= MOST_WAITING // 2:
            self._transport.resume_reading()
        return piece

    async def _wait(self) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        left_s = self._patience_s + self._came / self._rate - self._waited_s
        self._woken.clear()
        try:
            async with asyncio.timeout(min(left_s, self._patience_s)):
                await self._woken.wait()
        except TimeoutError:
            raise RequestTooSlow(after_s=self._waited_s + loop.time() - began) from None
        self._waited_s += loop.time() - began
