"""A turn as Server-Sent Events: one frame a ``data:`` line."""

from collections.abc import AsyncIterator

from actors.unkept import Following
from protocol.errors import ServiceError
from protocol.frames import STREAMED, encode, error_frame
from transport.http import Headers

# A proxy that keeps answers until they are whole would keep these until the turn has ended.
HEADERS: Headers = (
    ("Content-Type", "text/event-stream; charset=utf-8"),
    ("X-Accel-Buffering", "no"),
)


class EventStream:
    """The frames of a turn as the pieces of a body; closing it before its end ends the turn."""

    def __init__(self, following: Following) -> None:
        self._following = following

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """One event for each frame; a turn that breaks ends with an ``error`` frame."""
        turn = self._following.journal.turn
        try:
            async for entry in self._following:
                frame = encode(entry, turn, STREAMED)
                if frame is not None:
                    yield event(frame)
        except ServiceError as error:
            yield event(error_frame(error))

    async def aclose(self) -> None:
        """End the turn, if it has not ended."""
        await self._following.aclose()


def event(frame: str) -> bytes:
    """A frame as one event; a frame is JSON and has no line breaks in it."""
    return f"data: {frame}\n\n".encode()
