"""What comes from the client of a WebSocket: how fast, and how much that nobody has dealt with.

websockets bounds the size of a message and nothing else: it takes in every frame of a flood, and
answers every ping whether or not the client reads.
"""

import logging
from collections.abc import Callable

import structlog
from websockets.frames import CloseCode, Frame, Opcode
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

log = structlog.get_logger()

# A frame costs some 10 us to parse, whatever its size: from this size on, its bytes cost more than
# the frame. Larger ones go free, so that a client may send a long message in pieces.
SMALL_BYTES = 1024
AT_ONCE_S = 10.0  # so many seconds' worth of small frames may come at once

_DATA = frozenset({Opcode.TEXT, Opcode.BINARY, Opcode.CONT})


class Bucket:
    """Tokens that come back at a steady rate, up to as many as ``AT_ONCE_S`` brings."""

    __slots__ = ("_at", "_now", "_per_s", "_tokens")

    def __init__(self, per_s: float, now: Callable[[], float]) -> None:
        """Begin full; ``now`` gives seconds that only rise."""
        self._per_s = per_s
        self._tokens = per_s * AT_ONCE_S
        self._now = now
        self._at = now()

    def take(self) -> bool:
        """Take one; false when there is none."""
        now = self._now()
        come = (now - self._at) * self._per_s
        self._tokens = min(self._tokens + come, self._per_s * AT_ONCE_S)
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class Inbound(ServerProtocol):
    """The frames of one client: counted, and the connection failed when they come too fast.

    ``held`` is how many bytes have come that nobody has dealt with. While ``is_unread``, the client
    takes nothing, and of its pings only the latest is answered, once it does (RFC 6455 5.5.3).
    """

    def __init__(
        self,
        bucket: Bucket,
        *,
        frame_bytes: int,
        subprotocols: list[Subprotocol] | None,
        logger: logging.Logger,
    ) -> None:
        """Take no message over ``frame_bytes``, and small frames as fast as the bucket lets."""
        super().__init__(subprotocols=subprotocols, max_size=frame_bytes, logger=logger)
        self._bucket = bucket
        self._sizes: list[int] = []  # of the messages that are whole
        self._begun = 0  # bytes of the message that is not
        self._owed: bytes | None = None  # what the latest ping said that had no answer
        self.is_unread = False

    @property
    def held(self) -> int:
        """Bytes of all that has come and not been dealt with."""
        return len(self.reader.buffer) + self._begun + sum(self._sizes)

    def recv_frame(self, frame: Frame) -> None:
        """Take in a frame, unless there have been too many."""
        if len(frame.data) < SMALL_BYTES and not self._bucket.take():
            log.info("socket.flooded")
            self.fail(CloseCode.POLICY_VIOLATION, "too many small frames")
        elif frame.opcode is Opcode.PING and self.is_unread:
            self._owed = bytes(frame.data)
        else:
            super().recv_frame(frame)
            if frame.opcode in _DATA:
                self._count(frame)

    def deal(self) -> None:
        """Count the oldest message no more: it has been dealt with."""
        del self._sizes[:1]

    def read_again(self) -> None:
        """Answer the latest ping: the client has begun to take what it is sent."""
        self.is_unread = False
        if self._owed is not None and self.state is State.OPEN:
            self.send_pong(self._owed)
        self._owed = None

    def _count(self, frame: Frame) -> None:
        self._begun += len(frame.data)
        if frame.fin:
            self._sizes.append(self._begun)
            self._begun = 0
