"""A client that costs little beside what it measures: it looks for a few marks in raw bytes."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bench.idle_clients import CLOSE, HANDSHAKE, SIGNAL
from bench.processes import Server
from bench.stream_clients import masked
from tests.e2e.client import Asked, question

MARK = b"Q"  # stands once in each piece of a measured stream, and in nothing else of its frames
PIECE, END, ERROR = b'"type":"message"', b'"type":"messageEnd"', b'"type":"error"'
KEPT = max(map(len, (SIGNAL, PIECE, END, ERROR))) - 1  # of the bytes that came, for a torn mark
DEADLINE_S = 120.0


@dataclass(frozen=True)
class Times:
    """Seconds from a question to the first frame of its answer's text, and to its end."""

    first: float
    end: float


class Asker(asyncio.Protocol):
    """One session that asks one question after the other.

    Attributes:
        opened: Done with the signal that the session is open; its result is the seconds until then.
        marks: How many marked pieces have come.

    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.opened: asyncio.Future[float] = self._loop.create_future()
        self.marks = 0
        self._began = self._loop.time()
        self._first = 0.0
        self._rest = b""
        self._answer: asyncio.Future[Times] | None = None
        self._transport: asyncio.Transport

    async def ask(self, text: str, *, focus_mode: str = "webSearch") -> Times:
        """Ask, and wait for the whole answer; raises EOFError for one that is an error."""
        self._answer, self._first = self._loop.create_future(), 0.0
        asked = Asked(text, secrets.token_hex(20), secrets.token_hex(7))
        frame = masked(json.dumps(question(asked) | {"focusMode": focus_mode}).encode())
        self._began = self._loop.time()
        self._transport.write(frame)
        return await asyncio.wait_for(self._answer, DEADLINE_S)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin the handshake."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(HANDSHAKE)

    def data_received(self, data: bytes) -> None:
        """Note what the bytes tell."""
        came = self._rest + data
        self._rest = came[-KEPT:]
        self.marks += data.count(MARK)
        if self._answer is not None:
            self._look(came, self._answer)
        elif SIGNAL in came and not self.opened.done():
            self.opened.set_result(self._loop.time() - self._began)

    def connection_lost(self, exc: Exception | None) -> None:
        """End what waits."""
        for future in (self.opened, self._answer):
            if future is not None and not future.done():
                future.set_exception(exc or EOFError("the server has closed"))

    def leave(self) -> None:
        """Say goodbye; the server closes."""
        self._transport.write(CLOSE)

    def _look(self, came: bytes, answer: "asyncio.Future[Times]") -> None:
        if not self._first and PIECE in came:
            self._first = self._loop.time() - self._began
        if ERROR in came:
            answer.set_exception(EOFError(came.decode(errors="replace")))
        elif END in came:
            answer.set_result(Times(self._first, self._loop.time() - self._began))
        if answer.done():
            self._answer, self._rest = None, b""


@asynccontextmanager
async def asker(server: Server) -> AsyncIterator[Asker]:
    """A session that is open."""
    loop = asyncio.get_running_loop()
    _, client = await loop.create_connection(Asker, "127.0.0.1", server.port)
    await asyncio.wait_for(client.opened, DEADLINE_S)
    try:
        yield client
    finally:
        client.leave()


async def ask_in_turn(server: Server, texts: Sequence[str]) -> list[Times]:
    """So many questions, one after the other, in one session."""
    async with asker(server) as client:
        return [await client.ask(anew(text)) for text in texts]


def anew(text: str) -> str:
    """The question with a word of its own ahead, so that nothing is found in a cache."""
    return f"{secrets.token_hex(4)}: {text}"


def of_length(tokens: int, more: str = "") -> str:
    """A question whose answer has so many tokens."""
    return f"How much is it? [[fake answer tokens={tokens}{more}]]"
