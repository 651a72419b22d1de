"""A reply in pieces, the wire that carries it, and what each fault makes of it."""

import asyncio
import json
import socket
import struct
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from tests.standins.faults import Fault
from tests.standins.record import Exchange, Record

GARBAGE = b'data: {"choices": [{"del\xff\xfe\x00 <html>\n\n'


@dataclass(frozen=True)
class Reply:
    """A whole answer: ``head`` goes ahead of the pieces, ``tail`` is the end mark."""

    pieces: Sequence[bytes] = ()
    head: bytes = b""
    tail: bytes = b""
    status: int = 200
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    streamed: bool = False
    text: str = ""

    @classmethod
    def json(cls, value: Any, status: int = 200) -> "Reply":
        """A JSON body in two pieces, so that it can break off in the middle."""
        return cls.of(json.dumps(value).encode(), "application/json", status)

    @classmethod
    def of(cls, body: bytes, content_type: str, status: int = 200) -> "Reply":
        """A body of known length in two pieces."""
        half = len(body) // 2
        return cls((body[:half], body[half:]), status=status, content_type=content_type)

    def head_bytes(self) -> bytes:
        """Status line and header fields."""
        framing = (
            {"Transfer-Encoding": "chunked"}
            if self.streamed
            else {"Content-Length": str(len(b"".join((self.head, *self.pieces, self.tail))))}
        )
        fields = {"Content-Type": self.content_type, **framing, **self.headers}
        lines = [
            f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}",
            *(f"{k}: {v}" for k, v in fields.items()),
            "",
            "",
        ]
        return "\r\n".join(lines).encode()


def sse(value: dict[str, Any]) -> bytes:
    """One Server-Sent Event."""
    return b"data: " + json.dumps(value).encode() + b"\n\n"


class Wire:
    """Sends one reply on one connection, and notes how far it has come."""

    def __init__(self, writer: asyncio.StreamWriter, exchange: Exchange, record: Record) -> None:
        self._writer = writer
        self._exchange = exchange
        self._record = record
        self._begun = False

    async def send(self, reply: Reply, start: int = 0, end: int | None = None) -> None:
        """Send the pieces from ``start`` to ``end``, and what goes ahead of them."""
        await self._begin(reply)
        for piece in reply.pieces[start:end]:
            await self._write(reply, piece)
            self._exchange.pieces += 1
            self._exchange.sent_at.append(asyncio.get_running_loop().time())
            self._record.touch()
            await asyncio.sleep(0)  # other connections have their turn after each piece

    async def finish(self, reply: Reply) -> None:
        """Send the end mark and end the body."""
        await self._write(reply, reply.tail)
        await self.end(reply)

    async def end(self, reply: Reply) -> None:
        """End the body where it stands: a stream properly, a known length by leaving."""
        if reply.streamed:
            self._writer.write(b"0\r\n\r\n")
            await self._writer.drain()
        elif self._exchange.pieces < len(reply.pieces):
            self._writer.close()

    async def garble(self, reply: Reply) -> None:
        """Send bytes that mean nothing."""
        await self._begin(reply)
        await self._write(reply, GARBAGE)

    def tear(self) -> None:
        """Break the connection off without a farewell."""
        linger = struct.pack("ii", 1, 0)
        self._writer.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, linger
        )
        self._writer.transport.abort()

    async def _begin(self, reply: Reply) -> None:
        if not self._begun:
            self._begun = True
            self._exchange.reply = reply.text
            self._writer.write(reply.head_bytes())
            await self._write(reply, reply.head)

    async def _write(self, reply: Reply, data: bytes) -> None:
        if data and reply.streamed:
            self._writer.write(b"%x\r\n%b\r\n" % (len(data), data))
        elif data:
            self._writer.write(data)
        await self._writer.drain()


async def _whole(wire: Wire, reply: Reply, _fault: Fault | None = None) -> None:
    await wire.send(reply)
    await wire.finish(reply)


async def _delay(wire: Wire, reply: Reply, fault: Fault) -> None:
    await asyncio.sleep(fault.seconds)
    await _whole(wire, reply)


async def _pace(wire: Wire, reply: Reply, fault: Fault) -> None:
    loop = asyncio.get_running_loop()
    due = loop.time() + fault.first
    for index in range(len(reply.pieces)):
        await asyncio.sleep(max(0, due - loop.time()))
        await wire.send(reply, index, index + 1)
        due += fault.seconds  # a model goes on while the network, or this loop, is behind
    await wire.finish(reply)


async def _status(wire: Wire, _reply: Reply, fault: Fault) -> None:
    error = {"error": {"message": f"told to answer {fault.code}", "type": "server_error"}}
    await _whole(wire, Reply.json(error, fault.code))


async def _reset(wire: Wire, reply: Reply, fault: Fault) -> None:
    if fault.at:
        await wire.send(reply, 0, fault.at)
    wire.tear()


async def _garbage(wire: Wire, reply: Reply, fault: Fault) -> None:
    if fault.at:
        await wire.send(reply, 0, fault.at)
    await wire.garble(reply)
    await wire.end(reply)


async def _hang(wire: Wire, reply: Reply, fault: Fault) -> None:
    if fault.at:
        await wire.send(reply, 0, fault.at)
    await asyncio.Event().wait()  # ends when the client leaves or the server stops


async def _truncate(wire: Wire, reply: Reply, fault: Fault) -> None:
    await wire.send(reply, 0, fault.at)
    await wire.end(reply)


async def _hold(wire: Wire, reply: Reply, fault: Fault) -> None:
    assert fault.gate is not None
    await wire.send(reply, 0, fault.at)
    fault.gate.reached.set()
    await fault.gate.opened.wait()
    await wire.send(reply, fault.at)
    await wire.finish(reply)


STRIKES: dict[str, Callable[[Wire, Reply, Fault], Awaitable[None]]] = {
    "delay": _delay,
    "pace": _pace,
    "status": _status,
    "reset": _reset,
    "garbage": _garbage,
    "hang": _hang,
    "truncate": _truncate,
    "hold": _hold,
}


async def carry_out(wire: Wire, reply: Reply, fault: Fault | None) -> None:
    """Send the reply as the fault, if there is one, lets it."""
    await (_whole(wire, reply) if fault is None else STRIKES[fault.name](wire, reply, fault))
