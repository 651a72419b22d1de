"""Random and broken WebSocket frames, against the real program over a real socket.

``python -m tests.e2e.frame_fuzzing [--frames 20000] [--first 1]`` starts the program with stand-ins
behind it, sends it the frames of one seed after the other, a connection each, and then asks a good
question. It fails when a connection does not end, when the program logs an error or a traceback,
when sessions are left, or when the question is not answered.
"""

import argparse
import asyncio
import json
import random
import struct
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.e2e.client import Asked, Client, question
from tests.e2e.conftest import upstreams
from tests.e2e.program import Program
from tests.standins.model_server import ModelServer
from tests.standins.search_server import SearchServer
from tests.transport.frames import ASK
from tests.transport.places import get

DEADLINE_S = 30.0  # of one connection
AT_ONCE = 8
CONTINUED, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
FINAL = 0x80


def frame(data: bytes, opcode: int = TEXT, first: int = FINAL) -> bytes:
    """A masked frame; the mask is of zeros."""
    if len(data) < 126:
        return struct.pack("!BB4x", first | opcode, 0x80 | len(data)) + data
    if len(data) < 2**16:
        return struct.pack("!BBH4x", first | opcode, 0xFE, len(data)) + data
    return struct.pack("!BBQ4x", first | opcode, 0xFF, len(data)) + data


GOOD = question(Asked("What? [[fake answer tokens=2]]", "chat-of-broken-frames", "m"))
COMMANDS: tuple[dict[str, Any], ...] = (
    GOOD,
    GOOD | {"history": [["human", "a"], ["assistant", "b"]], "files": ["f"]},
    {"type": "stop", "messageId": "m"},
    {"type": "resume", "messageId": "m", "after": 3},
    {"type": "ping"},
)
# What no other frame is answered with tells that all before it have been dealt with.
LAST_KEY = b"TOO_LARGE"
LAST = frame(json.dumps(GOOD | {"message": GOOD["message"] | {"content": "a" * 100_001}}).encode())
STRANGE: tuple[Any, ...] = (
    *(None, True, -1, 10**30, 1e308, "", "\x00", "\ud800", "é" * 300, [], {}, [[]], {"a": {}}),
    *([["human"]], [["nobody", "a"]], ["a"] * 300, "a" * 5000, [[[[[]]]]], "constructor"),
)

Step = Callable[[random.Random, Any], Any]


def with_strange_value(rng: random.Random, command: dict[str, Any]) -> dict[str, Any]:
    """The command with one of its values replaced, or those of what stands in it."""
    key = rng.choice(list(command))
    inner = command[key]
    if isinstance(inner, dict) and inner and rng.random() < 0.7:
        return command | {key: with_strange_value(rng, inner)}
    return command | {key: rng.choice(STRANGE)}


def with_less(rng: random.Random, command: dict[str, Any]) -> dict[str, Any]:
    """The command without one of its fields."""
    gone = rng.choice(list(command))
    return {key: value for key, value in command.items() if key != gone}


def as_it_is(_: random.Random, command: dict[str, Any]) -> dict[str, Any]:
    """The command."""
    return command


CHANGES: tuple[Step, ...] = (with_strange_value, with_strange_value, with_less, as_it_is)


def text_of(rng: random.Random) -> bytes:
    """What a frame says: a command, or what is left of one."""
    command = rng.choice(COMMANDS)
    for _ in range(rng.randrange(1, 3)):
        command = rng.choice(CHANGES)(rng, command) if command else command
    text = bytearray(json.dumps(command).encode())
    for _ in range(rng.choice((0, 0, 0, 1, 5))):
        text[rng.randrange(len(text))] = rng.randrange(32, 127)
    return bytes(text[: rng.choice((len(text), len(text), rng.randrange(len(text) + 1)))])


def in_pieces(rng: random.Random, data: bytes) -> bytes:
    """A message in two frames, with a ping or pong between them."""
    at = rng.randrange(len(data) + 1)
    between = frame(rng.randbytes(rng.randrange(126)), rng.choice((PING, PONG)))
    return frame(data[:at], TEXT, 0) + between + frame(data[at:], CONTINUED)


def proper(rng: random.Random) -> bytes:
    """A frame that keeps to RFC 6455, whatever it says."""
    kinds = (
        lambda: frame(text_of(rng)),
        lambda: frame(text_of(rng)),
        lambda: frame(text_of(rng)),
        lambda: in_pieces(rng, text_of(rng)),
        lambda: frame(text_of(rng), BINARY),
        lambda: frame(rng.randbytes(rng.randrange(200)), BINARY),
        lambda: frame(rng.randbytes(rng.randrange(126)), rng.choice((PING, PONG))),
    )
    return rng.choice(kinds)()


def broken(rng: random.Random) -> bytes:
    """A frame that does not."""
    whole = proper(rng)
    kinds = (
        lambda: bytes([rng.randrange(256)]) + whole[1:],
        lambda: whole[:1] + bytes([rng.randrange(256)]) + whole[2:],
        lambda: whole[: rng.randrange(len(whole))],
        lambda: frame(rng.randbytes(rng.randrange(1, 200))),
        lambda: frame(b"x" * 300, PING),
        lambda: frame(b"x", CONTINUED),
        lambda: frame(b"x", TEXT, 0) + frame(b"x"),
        lambda: frame(struct.pack("!H", rng.randrange(2**16)) + rng.randbytes(9), CLOSE),
        lambda: struct.pack("!BBQ", FINAL | TEXT, 0xFF, rng.randrange(2**64)),
        lambda: rng.randbytes(rng.randrange(1, 400)),
    )
    return rng.choice(kinds)()


async def read_until(reader: asyncio.StreamReader, mark: bytes) -> int:
    """Read until the mark has come; how many bytes that was."""
    came = bytearray()
    while mark not in came:
        data = await reader.read(2**16)
        assert data, "a proper frame has closed the connection"
        came += data
    return len(came)


async def converse(port: int, seed: int) -> tuple[int, int]:
    """Send the frames of a seed: how many, and the bytes that came back; TimeoutError at no end."""
    rng = random.Random(seed)
    frames = [proper(rng) for _ in range(rng.randrange(1, 16))]
    offer = rng.choice(((), ("Sec-WebSocket-Protocol: perplexica.v2",)))
    async with asyncio.timeout(DEADLINE_S):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(get("/", *ASK, *offer).replace(b"Host: h", b"Host: 127.0.0.1"))
            writer.write(b"".join(frames) + LAST)
            back = await read_until(reader, LAST_KEY)
            writer.write(broken(rng))
            writer.write_eof()
            with suppress(ConnectionError):  # it may end abruptly, but it has to end
                back += len(await reader.read())
            return len(frames) + 2, back
        finally:
            writer.transport.abort()


async def fuzz(port: int, frames: int, first: int = 1) -> Counter[str]:
    """Send at least so many frames, in connections some of which are open at once."""
    told, seed = Counter[str](), first
    while told["frames"] < frames:
        ends = await asyncio.gather(*(converse(port, seed + at) for at in range(AT_ONCE)))
        seed += AT_ONCE
        told["connections"] += AT_ONCE
        told["frames"] += sum(sent for sent, _ in ends)
        told["bytes back"] += sum(back for _, back in ends)
    return told


async def check(program: Program) -> None:
    """Raise an AssertionError unless the program is as well as before."""
    async with Client.connect(program) as client:
        turn = await client.answer("And now? [[fake answer tokens=2]]")
    assert turn.types == ["sources", "message", "messageEnd"]
    async with asyncio.timeout(DEADLINE_S):
        while (await program.json("/health"))["backlog"]["sessions"]:
            pass  # there is no event of what another process does
    log = program.log_text()
    assert not [line for line in program.log_lines() if line["level"] in {"error", "critical"}]
    assert not [word for word in ("Traceback", "never retrieved", "never awaited") if word in log]


async def play(frames: int, first: int) -> Counter[str]:
    """Start the program, send it the frames, and check it."""
    with TemporaryDirectory() as folder:
        async with ModelServer() as models, SearchServer() as search:
            settings = upstreams(models, search) | {"PERPLEXICA_LOG_LEVEL": "warning"}
            async with Program(Path(folder), **settings) as program:
                told = await fuzz(program.port, frames, first)
                await check(program)
                return told


def main() -> None:
    """Send the frames, and tell how many."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=20_000)
    parser.add_argument("--first", type=int, default=1)
    args = parser.parse_args()
    began = time.monotonic()
    told = asyncio.run(play(args.frames, args.first))
    print(dict(told), f"in {time.monotonic() - began:.0f} s")  # noqa: T201


if __name__ == "__main__":
    main()
