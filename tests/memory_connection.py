"""A client in memory: what the transport hands to a session, without a socket."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

from protocol.connection import ConnectionGone

Frame = dict[str, Any]


class MemoryConnection:
    """Keeps what it is sent; may be slow, may break, may leave."""

    def __init__(self, subprotocol: str | None = None) -> None:
        self.subprotocol = subprotocol
        self.sent: list[Frame] = []
        self.closed_with: int | None = None
        self.stalled = asyncio.Event()  # while set, nothing more is taken
        self._incoming: asyncio.Queue[str | None] = asyncio.Queue()
        self._changed = asyncio.Event()

    async def frames(self) -> AsyncIterator[str | bytes]:
        """What ``ask`` and ``say`` put in, until ``leave`` or a close."""
        while (frame := await self._incoming.get()) is not None:
            yield frame

    async def send(self, frame: str, *, within_s: float | None = None) -> None:
        """Keep a frame; once stalled, one more is buffered, and its sender waits for ever."""
        if self.closed_with is not None:
            raise ConnectionGone
        self.sent.append(json.loads(frame))
        self._changed.set()
        if self.stalled.is_set():
            async with asyncio.timeout(within_s):
                await asyncio.Event().wait()

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Remember the first code."""
        del reason
        if self.closed_with is None:
            self.closed_with = code
        self.leave()
        self._changed.set()

    def leave(self) -> None:
        """The client goes away."""
        self._incoming.put_nowait(None)

    def say(self, frame: str) -> None:
        """The client sends a frame as it is."""
        self._incoming.put_nowait(frame)

    def say_frame(self, **fields: Any) -> None:
        """The client sends a frame with these fields."""
        self.say(json.dumps(fields))

    def ask(self, text: str, *, chat: str = "chat", message: str = "", **fields: Any) -> None:
        """The client asks a question."""
        named = {"messageId": message} if message else {}
        frame = {
            "type": "message",
            "message": {**named, "chatId": chat, "content": text},
            "focusMode": "webSearch",
            "optimizationMode": "balanced",
            "history": [],
            **fields,
        }
        self.say(json.dumps(frame))

    async def until(self, wanted: Callable[[list[Frame]], bool]) -> list[Frame]:
        """All frames so far, once they are as wanted."""
        while not wanted(self.sent):
            self._changed.clear()
            await self._changed.wait()
        return self.sent

    def of_type(self, *kinds: str) -> list[Frame]:
        """The frames of some types so far."""
        return [frame for frame in self.sent if frame["type"] in kinds]
