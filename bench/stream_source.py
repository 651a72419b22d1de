"""A model service that costs little: many streams at once, each of 50 pieces a second.

``python -m bench.stream_source`` prints its address, then reads lines such as ``1000 400`` from its
standard input: as soon as so many streams are asked for, it prints ``asked``. With the next line,
empty, it lets each have so many pieces; ``ended`` follows. A stream has only its head until then.
"""

import asyncio
import json
import sys

from bench.measure import allow_many_files

PIECES_A_S = 50
PHASES = 20  # the streams are spread over the time between two pieces
MODELS = {"object": "list", "data": [{"id": "gpt-4o-mini", "object": "model", "created": 1}]}
STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def chunk(text: bytes) -> bytes:
    """A chunk of a body."""
    return b"%x\r\n%b\r\n" % (len(text), text)


def event(delta: dict[str, str], reason: str | None = None) -> bytes:
    """An event as OpenAI sends it."""
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1}
    whole = {**head, "model": "gpt-4o-mini", "choices": [choice]}
    return b"data: " + json.dumps(whole).encode() + b"\n\n"


HEAD = STREAM + chunk(event({"role": "assistant", "content": ""}))
PIECE = chunk(event({"content": " Quay"}))  # its capital is the mark that clients count
TAIL = chunk(event({}, "stop") + b"data: [DONE]\n\n") + b"0\r\n\r\n"


class Source(asyncio.Protocol):
    """One connection; each request for an answer puts it among those that wait."""

    def __init__(self, waiting: "asyncio.Queue[asyncio.Transport]") -> None:
        self._waiting = waiting
        self._came = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for a request."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer a list of models at once, and a chat with its head."""
        self._came += data
        head, _, body = self._came.partition(b"\r\n\r\n")
        length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
        if b"\r\n\r\n" not in self._came or len(body) < int(length or 0):
            return
        self._came = b""
        if head.startswith(b"GET"):
            listed = json.dumps(MODELS).encode()
            self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n")
            self._transport.write(b"Content-Length: %d\r\n\r\n%b" % (len(listed), listed))
        else:
            self._transport.write(HEAD)
            self._waiting.put_nowait(self._transport)


async def pace(streams: list[asyncio.Transport], pieces: int) -> None:
    """Let each stream have its pieces, evenly spread; a source that is late does not wait."""
    loop, gap_s = asyncio.get_running_loop(), 1 / PIECES_A_S / PHASES
    began = loop.time()
    for tick in range(pieces * PHASES):
        await asyncio.sleep(max(0.0, began + tick * gap_s - loop.time()))
        for stream in streams[tick % PHASES :: PHASES]:
            stream.write(PIECE)
    for stream in streams:
        stream.write(TAIL)


async def main() -> None:
    """Serve, and do what the standard input says, until that ends."""
    loop = asyncio.get_running_loop()
    waiting: asyncio.Queue[asyncio.Transport] = asyncio.Queue()
    server = await loop.create_server(lambda: Source(waiting), "127.0.0.1", 0, backlog=1024)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        count, pieces = map(int, line.split())
        streams = [await waiting.get() for _ in range(count)]
        print("asked", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        await pace(streams, pieces)
        print("ended", flush=True)


if __name__ == "__main__":
    allow_many_files()
    asyncio.run(main())
