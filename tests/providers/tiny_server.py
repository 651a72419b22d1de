"""A model service of a few lines: each test says what goes over the wire, byte by byte."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self


@dataclass
class Seen:
    """A request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The body's value."""
        return json.loads(self.body)


@dataclass
class Wire:
    """The way back to the client."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def head(self, status: int = 200, **headers: str) -> None:
        """The status and headers of a reply in chunks."""
        lines = [f"HTTP/1.1 {status} So", "Transfer-Encoding: chunked"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        await self.raw(("\r\n".join(lines) + "\r\n\r\n").encode())

    async def send(self, data: bytes) -> None:
        """One chunk."""
        await self.raw(b"%x\r\n%b\r\n" % (len(data), data))

    async def end(self) -> None:
        """The end of the chunks."""
        await self.raw(b"0\r\n\r\n")

    async def raw(self, data: bytes) -> None:
        """Bytes as they are."""
        self.writer.write(data)
        await self.writer.drain()

    async def gone(self) -> None:
        """Wait until the client has closed its side."""
        try:
            while await self.reader.read(1024):
                pass
        except ConnectionError:
            pass

    def cut(self) -> None:
        """Reset the connection."""
        self.writer.transport.abort()


Reply = Callable[[Seen, Wire], Awaitable[None]]


@dataclass
class TinyServer:
    """Answers each request with ``reply``; counts connections and keeps what it saw."""

    reply: Reply
    seen: list[Seen] = field(default_factory=list)
    connections: int = 0
    closed: asyncio.Event = field(default_factory=asyncio.Event)
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._server.close()
        for writer in list(self._open):
            writer.transport.abort()
        await self._server.wait_closed()

    @property
    def url(self) -> str:
        """The base address."""
        host, port = self._server.sockets[0].getsockname()[:2]
        return f"http://{host}:{port}"

    async def saw(self, count: int) -> None:
        """Wait until so many requests have come in all."""
        async with self._news:
            await self._news.wait_for(lambda: len(self.seen) >= count)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._open.add(writer)
        try:
            while request := await _request(reader):
                async with self._news:
                    self.seen.append(request)
                    self._news.notify_all()
                await self.reply(request, Wire(reader, writer))
        except ConnectionError:
            pass
        finally:
            self.closed.set()
            self._open.discard(writer)
            writer.close()


async def _request(reader: asyncio.StreamReader) -> Seen | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    method, path, _ = head[0].split(" ")
    headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    # The key's case matters and header names do not.
    for line in head[1:]:
        if line.lower().startswith("authorization: "):
            headers["authorization"] = line.split(": ", 1)[1]
    return Seen(method, path, headers, body)


def says(*pieces: str, ending: bytes = b"data: [DONE]\n\n") -> Reply:
    """A chat reply of OpenAI's shape with these pieces."""

    async def reply(_request: Seen, wire: Wire) -> None:
        await wire.head(content_type="text/event-stream")
        for piece in pieces:
            await wire.send(event(piece))
        await wire.send(ending)
        await wire.end()

    return reply


def event(text: str | None, finish: str | None = None) -> bytes:
    """One event of OpenAI's stream."""
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": finish}
    return b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n"


def ollama_line(text: str, *, done: bool = False) -> bytes:
    """One line of Ollama's stream."""
    return json.dumps({"message": {"content": text}, "done": done}).encode() + b"\n"


def answers(value: Any, status: int = 200) -> Reply:
    """A reply of JSON."""

    async def reply(_request: Seen, wire: Wire) -> None:
        await wire.head(status, content_type="application/json")
        await wire.send(json.dumps(value).encode())
        await wire.end()

    return reply


def routed(routes: dict[str, Reply]) -> Reply:
    """Each path its reply; 404 elsewhere."""

    async def reply(request: Seen, wire: Wire) -> None:
        chosen = routes.get(request.path, answers({"error": "no such path"}, 404))
        await chosen(request, wire)

    return reply


async def hangs(_request: Seen, wire: Wire) -> None:
    """No reply at all, until the client gives up."""
    await wire.gone()
