"""A tiny HTTP/1.1 server on asyncio alone: keep-alive, chunked streams, faults on demand.

A server of a service subclasses ``StandIn`` and says, for a request, of which kind it is, which
question it is about, and the whole reply. The reply is sent piece by piece; the fault that is due
decides how far that goes.
"""

import asyncio
import json
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from email.utils import formatdate
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from tests.standins.faults import Fault, FaultBook, Gate
from tests.standins.record import Exchange, Record
from tests.standins.reply import Reply, Wire, carry_out

MAX_HEAD = 64 * 1024


@dataclass(frozen=True)
class Request:
    """What the client asked; ``body`` is the JSON value, ``{}`` where there is none."""

    method: str
    path: str
    params: dict[str, str]
    headers: dict[str, str]
    body: Any


async def _read_head(reader: asyncio.StreamReader) -> bytes | None:
    """The next head, or ``None`` when the client has left instead."""
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None


async def _read_request(head: bytes, reader: asyncio.StreamReader) -> Request:
    first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    method, target, _version = first.split(" ")
    headers = {k.lower(): v.strip() for k, v in (line.split(":", 1) for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    url = urlsplit(target)
    return Request(
        method,
        url.path,
        dict(parse_qsl(url.query, keep_blank_values=True)),
        headers,
        _json(body),
    )


def _json(body: bytes) -> Any:
    try:
        return json.loads(body or b"{}")
    except ValueError:
        return {}


class StandIn(ABC):
    """A service on a free port of loopback; ``async with`` starts and stops it.

    Attributes:
        ahead_s: How far its clock is ahead of the right time; ``None``: it does not tell the time.

    """

    def __init__(self) -> None:
        self.ahead_s: float | None = None
        self.record = Record()
        self.faults = FaultBook()
        self.url = ""
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    @abstractmethod
    def kind(self, request: Request) -> str:
        """What sort of request this is, for faults and for the record."""

    @abstractmethod
    def text(self, request: Request) -> str:
        """The question the request is about, with its directives; may be empty."""

    @abstractmethod
    def reply(self, request: Request) -> Reply:
        """The whole reply when nothing goes wrong."""

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self, port: int = 0) -> Self:
        """Listen; ``url`` has the address from then on."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", port, limit=MAX_HEAD)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def stop(self) -> None:
        """Drop every connection and stop listening."""
        if self._server:
            self._server.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def fault(self, kind: str, fault: Fault, times: int | None = 1) -> None:
        """Let the next ``times`` requests of that kind go wrong (``None``: all)."""
        self.faults.tell(kind, fault, times)

    def hold_after(self, pieces: int, kind: str = "answer") -> Gate:
        """Make the next reply wait after so many pieces, until the gate is released."""
        gate = Gate()
        self.faults.tell(kind, Fault("hold", at=pieces, gate=gate))
        return gate

    async def seen(self, kind: str, *, about: str = "", deadline_s: float = 10) -> Exchange:
        """The first request of that kind about that text, waiting for it."""
        return await self.record.first(lambda e: e.kind == kind and about in e.text, deadline_s)

    async def closed_early(self, *, about: str = "", deadline_s: float = 10) -> Exchange:
        """The first exchange whose client left before its end, waiting for it."""
        return await self.record.first(lambda e: e.closed_early and about in e.text, deadline_s)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await _read_head(reader)
            while head is not None:
                head = await self._serve_one(await _read_request(head, reader), reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client left in the middle of a request: nothing to answer
        finally:
            writer.close()

    async def _serve_one(
        self, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bytes | None:
        """Answer; then the head of the next request, or ``None`` when the client has left."""
        # Reading on while answering is how a client that leaves is noticed.
        upcoming = asyncio.create_task(_read_head(reader))
        answering = asyncio.create_task(self._answer(request, writer))
        try:
            await asyncio.wait({answering, upcoming}, return_when=asyncio.FIRST_COMPLETED)
            if not answering.done() and upcoming.result() is None:
                return None
            await answering
            return await upcoming
        finally:
            upcoming.cancel()
            answering.cancel()
            await asyncio.wait({answering})

    async def _answer(self, request: Request, writer: asyncio.StreamWriter) -> None:
        exchange = self._note(request)
        fault = self.faults.draw(exchange.kind, exchange.text)
        try:
            reply = self._dated(self.reply(request))
            await carry_out(Wire(writer, exchange, self.record), reply, fault)
        except (asyncio.CancelledError, ConnectionError):
            exchange.closed_early = True
            raise
        finally:
            exchange.ended = asyncio.get_running_loop().time()
            self.record.touch()

    def _dated(self, reply: Reply) -> Reply:
        """The reply with the time of its head, where this service tells that."""
        if self.ahead_s is None:
            return reply
        date = formatdate(time.time() + self.ahead_s, usegmt=True)
        return replace(reply, headers={**reply.headers, "Date": date})

    def _note(self, request: Request) -> Exchange:
        exchange = Exchange(
            kind=self.kind(request),
            method=request.method,
            path=request.path,
            params=request.params,
            headers=request.headers,
            body=request.body,
            text=self.text(request),
            started=asyncio.get_running_loop().time(),
        )
        self.record.add(exchange)
        return exchange
