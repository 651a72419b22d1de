"""Clients that are cheap enough to be hundreds: they look for stamps in raw bytes."""

import asyncio
import json
import secrets
from collections.abc import Sequence

from bench.idle_clients import HANDSHAKE, SIGNAL
from bench.stamps import MOST_BYTES, STAMP
from tests.e2e.client import Asked, Place, question
from tests.e2e.stalling import thin_socket

TEXT, LONG, MASKED, NO_MASK = 0x81, 126, 0x80, bytes(4)
END = b'"type":"messageEnd"'
CLOSE = 0x88
PING = 0x89  # stands in text of ASCII nowhere; in a length it may, and costs a word too many
PONG_S = 5.0  # between two such words
PONG = bytes((0x8A, MASKED)) + NO_MASK
TOO_SLOW = b"\x0f\xa8"  # 4008
AT_ONCE = 100


def masked(text: bytes) -> bytes:
    """A client's text frame of 126 to 65,535 bytes, with a mask of zeros."""
    return bytes((TEXT, MASKED | LONG)) + len(text).to_bytes(2, "big") + NO_MASK + text


class StreamClient(asyncio.Protocol):
    """Asks one question, and notes how late each piece of the answer came.

    Attributes:
        delays: Seconds from the model's sending to the client's reading, by the time of sending.
        begun: Done with the first piece.
        ended: Done with the end of the answer or of the connection.
        is_dropped: Whether the last bytes were a close frame with 4008.

    """

    def __init__(self, text: str) -> None:
        loop = asyncio.get_running_loop()
        self.delays: list[tuple[float, float]] = []
        self.begun: asyncio.Future[None] = loop.create_future()
        self.ended: asyncio.Future[None] = loop.create_future()
        self.is_dropped = False
        self.transport: asyncio.Transport
        self._asked: bytes | None = masked(asking(text))
        self._rest = b""
        self._said_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin the handshake."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(HANDSHAKE)

    def data_received(self, data: bytes) -> None:
        """Ask after the signal, then note the stamps; a ping is answered."""
        if PING in data and self._said_at + PONG_S < asyncio.get_running_loop().time():
            self._said_at = asyncio.get_running_loop().time()
            self.transport.write(PONG)
        came = self._rest + data
        self._rest = came[-MOST_BYTES:]
        if self._asked is not None:
            if SIGNAL in came:
                self.transport.write(self._asked)
                self._asked, self._rest = None, b""
            return
        self._note(came)
        if END in came and not self.ended.done():
            self.ended.set_result(None)
        self.is_dropped = TOO_SLOW in came[-MOST_BYTES:] and CLOSE in came[-MOST_BYTES:]

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 (asyncio's own name)
        """Note the end."""
        for future in (self.begun, self.ended):
            if not future.done():
                future.set_result(None)

    def _note(self, came: bytes) -> None:
        now = asyncio.get_running_loop().time()
        end = 0
        for found in STAMP.finditer(came):
            sent = float(found[1])
            self.delays.append((sent, now - sent))
            end = found.end()
        if end:
            self._rest = came[max(end, len(came) - MOST_BYTES) :]
            if not self.begun.done():
                self.begun.set_result(None)


def asking(text: str) -> bytes:
    """The frame of a question that needs no search."""
    asked = Asked(text, secrets.token_hex(20), secrets.token_hex(7))
    return json.dumps(question(asked) | {"focusMode": "writingAssistant"}).encode()


async def connected(place: Place, text: str, places: asyncio.Semaphore) -> StreamClient:
    """A client whose answer has begun."""
    loop, thin = asyncio.get_running_loop(), thin_socket()
    async with places:
        await loop.sock_connect(thin, ("127.0.0.1", place.port))
        _, client = await loop.create_connection(lambda: StreamClient(text), sock=thin)
    await client.begun
    return client


async def connect_all(place: Place, texts: Sequence[str]) -> list[StreamClient]:
    """A client for each question, once all answers have begun."""
    places = asyncio.Semaphore(AT_ONCE)
    return await asyncio.gather(*(connected(place, text, places) for text in texts))
