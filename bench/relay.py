"""The floor: what an answer costs a bare asyncio program that only passes the bytes on.

``python -m bench.relay MODELS [SEARCH]`` listens on a free port and prints its address. It makes
the calls of a question as the program does (a query, a search, an answer; without a search for
``writingAssistant``) and turns the model's stream into frames, one for each read. Plain streams of
asyncio: no store, no ranking, no limits, no errors, and it knows only what the benches send.
"""

import asyncio
import base64
import hashlib
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any
from urllib.parse import quote, urlsplit

import msgspec

from bench.idle_clients import SIGNAL

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
SOURCES = 15
MASK = 4
CLOSE = b"\x88\x00"
encode, decode = msgspec.json.encode, msgspec.json.decode


Asked = dict[str, Any]


class _Delta(msgspec.Struct):
    content: str = ""


class _Choice(msgspec.Struct):
    delta: _Delta


class _Chunk(msgspec.Struct):
    choices: list[_Choice]


class Upstream:
    """One connection to a service, kept open."""

    def __init__(self, url: str) -> None:
        self._host = urlsplit(url).hostname
        self._port = urlsplit(url).port
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter

    async def get(self, target: str) -> bytes:
        """The body of the reply."""
        reader, head = await self._answered(f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
        return await reader.readexactly(int(length))

    async def chat(self, messages: list[dict[str, str]]) -> AsyncIterator[str]:
        """The text of each read of a streamed answer."""
        body = encode({"model": "gpt-4o-mini", "messages": messages, "stream": True})
        head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer key\r\n"
        request = b"%bContent-Length: %d\r\n\r\n%b" % (head, len(body), body)
        reader, _ = await self._answered(request)
        rest = b""
        while not rest.endswith(b"0\r\n\r\n"):
            *lines, rest = (rest + await reader.read(65_536)).split(b"\n\n")
            said = "".join(map(text_of, lines))
            if said:
                yield said

    async def _answered(self, request: bytes) -> tuple[asyncio.StreamReader, bytes]:
        if self._reader is None:
            self._reader, self._writer = await asyncio.open_connection(self._host, self._port)
        self._writer.write(request)
        return self._reader, await self._reader.readuntil(b"\r\n\r\n")

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._reader is not None:
            self._writer.close()


def text_of(event: bytes) -> str:
    """The text in an event of the stream, behind the head of a chunk."""
    data = event.partition(b"data: ")[2]
    if not data.startswith(b"{"):
        return ""
    choices = decode(data, type=_Chunk).choices
    return choices[0].delta.content if choices else ""


def frame(value: object) -> bytes:
    """A text frame of a server."""
    text = encode(value)
    size = len(text)
    if size < 126:
        return bytes((0x81, size)) + text
    if size < 65_536:
        return b"\x81\x7e" + size.to_bytes(2, "big") + text
    return b"\x81\x7f" + size.to_bytes(8, "big") + text


async def question_in(reader: asyncio.StreamReader) -> bytes:
    """The next frame of a client that masks with zeros; empty when it leaves."""
    kind, size = await reader.readexactly(2)
    if kind != 0x81:
        return b""
    length = size & 0x7F
    if length == 126:
        length = int.from_bytes(await reader.readexactly(2), "big")
    return (await reader.readexactly(length + MASK))[MASK:]


class Relay:
    """Passes answers on, from the services at two addresses."""

    def __init__(self, models: str, search: str) -> None:
        self._models = models
        self._search = search

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One session, from its handshake to its end."""
        models, search = Upstream(self._models), Upstream(self._search)
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await shake_hands(reader, writer)
            while asked := await question_in(reader):
                await self._answer(decode(asked), models, search, writer)
            writer.write(CLOSE)
        for open_one in (models, search, writer):
            open_one.close()

    async def _answer(
        self,
        asked: Asked,
        models: Upstream,
        search: Upstream,
        out: asyncio.StreamWriter,
    ) -> None:
        text = str(asked["message"]["content"])
        prompt = "You answer questions."
        if asked["focusMode"] == "webSearch":
            found = await self._sources(text, models, search)
            out.write(frame({"type": "sources", "data": found, "messageId": "m"}))
            prompt += "".join(str(source["pageContent"]) for source in found)
        messages = [{"role": "system", "content": prompt}, {"role": "user", "content": text}]
        async for piece in models.chat(messages):
            out.write(frame({"type": "message", "data": piece, "messageId": "m"}))
            await out.drain()
        out.write(frame({"type": "messageEnd", "messageId": "m"}))

    @staticmethod
    async def _sources(text: str, models: Upstream, search: Upstream) -> list[dict[str, object]]:
        wanted = [{"role": "user", "content": f"<question>\nquestion: {text}"}]
        said = "".join([piece async for piece in models.chat(wanted)])
        query = said.replace("<question>", "").replace("</question>", "").strip()
        reply = decode(await search.get(f"/search?format=json&q={quote(query)}"))
        rows = [row for row in reply["results"] if row["content"]]
        return [
            {
                "pageContent": row["content"],
                "metadata": {"title": row["title"], "url": row["url"]},
            }
            for row in rows[:SOURCES]
        ]


async def shake_hands(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer the opening handshake, and tell that the session is open."""
    head = await reader.readuntil(b"\r\n\r\n")
    key = head.partition(b"Sec-WebSocket-Key: ")[2].partition(b"\r\n")[0]
    accept = base64.b64encode(hashlib.sha1(key + GUID).digest())  # noqa: S324 - RFC 6455 4.2.2
    writer.write(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: %b\r\n\r\n" % accept
    )
    writer.write(bytes((0x81, len(SIGNAL))) + SIGNAL)


async def main(models: str, search: str = "") -> None:
    """Serve until the process is ended."""
    relay = Relay(models, search)
    server = await asyncio.start_server(relay.serve, "127.0.0.1", 0, backlog=1024)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    from bench.measure import allow_many_files

    allow_many_files()
    asyncio.run(main(*sys.argv[1:]))
