"""What comes from the client of a WebSocket: how fast, and how much that nobody has dealt with.

websockets bounds the size of a message and nothing else: it takes in every frame of a flood, and
answers every ping whether or not the client reads.
"""

import logging
from collections.abc import Callable

import structlog
from websockets.frames import CloseCode, Frame, Opcode
from websockets.protocol import Protocol, Side, State

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


class Inbound(Protocol):
    """The messages of one client: counted, and the connection failed when they come too fast.

    It begins open: the opening handshake lies behind it. While ``is_unread``, the client takes
    nothing, and of its pings only the latest is answered, once it does (RFC 6455 5.5.3).
    """

    # Slots, since websockets' own fields are almost as many as may share their names with those of
    # all others (30, CPython 3.11): beyond that, each client would cost a kilobyte more.
    __slots__ = (
        "_begun",
        "_bucket",
        "_in_hand",
        "_is_text",
        "_kept",
        "_owed",
        "_waiting",
        "is_unread",
    )

    def __init__(self, bucket: Bucket, *, frame_bytes: int, logger: logging.Logger) -> None:
        """Take no message over ``frame_bytes``, and small frames as fast as the bucket lets."""
        super().__init__(Side.SERVER, max_size=frame_bytes, logger=logger)
        self._bucket = bucket
        self._begun = bytearray()  # the message that is not whole
        self._is_text = True  # whether that is a text
        self._waiting: list[tuple[bool, bytes]] = []  # those that are, and whether they are texts
        self._in_hand = 0  # bytes of the message that is being dealt with
        self._kept = 0  # of all these
        self._owed: bytes | None = None  # what the latest ping said that had no answer
        self.is_unread = False

    @property
    def held(self) -> int:
        """Bytes of all that has come and not been dealt with."""
        return len(self.reader.buffer) + self._kept

    @property
    def waiting(self) -> int:
        """How many whole messages nobody has taken."""
        return len(self._waiting)

    def recv_frame(self, frame: Frame) -> None:
        """Take in a frame, unless there have been too many."""
        if len(frame.data) < SMALL_BYTES and not self._bucket.take():
            log.info("socket.flooded")
            self.fail(CloseCode.POLICY_VIOLATION, "too many small frames")
        elif frame.opcode is Opcode.PING and self.is_unread:
            self._owed = bytes(frame.data)
        else:
            super().recv_frame(frame)
            if frame.opcode in _DATA and self.state is State.OPEN:
                self._collect(frame)

    def take(self) -> str | bytes:
        """The oldest message, which is held until it has been dealt with."""
        is_text, data = self._waiting.pop(0)
        self._in_hand = len(data)
        return data.decode() if is_text else data

    def deal(self) -> None:
        """Hold the message no more that was taken last: it has been dealt with."""
        self._kept -= self._in_hand
        self._in_hand = 0

    def drop(self) -> None:
        """Let go of all that nobody has taken."""
        self._waiting.clear()
        self._begun.clear()
        self._kept = self._in_hand

    def read_again(self) -> None:
        """Answer the latest ping: the client has begun to take what it is sent."""
        self.is_unread = False
        if self._owed is not None and self.state is State.OPEN:
            self.send_pong(self._owed)
        self._owed = None

    def end(self) -> None:
        """Be closed: the client is gone."""
        self.receive_eof()
        # They know the protocol, and would wait with it for the collector.
        self.parser.close()
        self.parser_exc = None

    def _collect(self, frame: Frame) -> None:
        if frame.opcode is not Opcode.CONT:
            self._is_text = frame.opcode is Opcode.TEXT
        self._begun += frame.data
        self._kept += len(frame.data)
        if frame.fin:
            data = bytes(self._begun)
            self._begun.clear()
            if self._is_text:
                data.decode()  # websockets fails with 1007; as text it may be four times as large
            self._waiting.append((self._is_text, data))
