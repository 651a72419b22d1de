"""A server that says the same bytes to everybody, whatever it is asked, and says no more."""

import asyncio
from contextlib import suppress
from http import HTTPStatus
from typing import Self

HOST = "127.0.0.1"


def said(
    body: bytes,
    content_type: str = "application/json",
    *,
    status: int = 200,
    missing: int = 0,
    extra: str = "",
) -> bytes:
    """The bytes of a reply over HTTP; ``missing`` of those that it promises never come."""
    head = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nContent-Type: {content_type}\r\n"
        f"Content-Length: {len(body) + missing}\r\n{extra}Connection: close\r\n\r\n"
    )
    return head.encode() + body


class FixedReply:
    """Listens on a port of loopback; ``async with`` starts and stops it.

    Args:
        reply: What each connection is told, once it has said something itself.
        port: Where to listen.

    """

    def __init__(self, reply: bytes, port: int) -> None:
        self._reply = reply
        self._port = port
        self._server: asyncio.Server
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, HOST, self._port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._tell(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _tell(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(ConnectionError):  # whoever leaves has heard enough
                if await reader.read(1):
                    writer.write(self._reply)
                    writer.write_eof()
                    # Closing with something unread would reset what was said on its way.
                    while await reader.read(65536):
                        pass
        finally:
            writer.close()
