"""Broken streams of requests: the front answers or refuses them, whatever they hold.

``python -m tests.transport.fuzzing [--seconds 60] [--first 1]`` tries one stream a seed until the
time is up, and tells the seed of the first that breaks a promise: nothing is raised, every stream
comes to its end, each request has one answer at most, no answer is an undeclared 5xx, and the same
bytes are the same requests, however they are cut into segments.
"""

import argparse
import asyncio
import logging
import random
import time
from collections import Counter
from collections.abc import Callable, Iterable
from operator import eq
from typing import Any

import structlog
from structlog.testing import capture_logs

from tests.clock import run_virtual
from tests.transport.places import get, post
from tests.transport.raw import TABLE
from tests.transport.raw_further import FURTHER, STREAMS
from tests.transport.wire import Hall
from transport.front import INPUT_BYTES
from transport.reader import READ_BYTES

DECLARED = {501, 503, 505}
MOST_S = 600.0  # of virtual time: every deadline of a front is shorter
BATCH = 200
LARGE_BYTES = 2 * INPUT_BYTES
STREAMED = b"/api/uploads"

FORM = (
    b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.txt"\r\n\r\nhi\r\n--b--\r\n'
)
JSON = "Content-Type: application/json"
CORPUS = (
    *(raw for raw, _ in (TABLE | FURTHER).values()),
    *(raw for raw, _ in STREAMS.values()),
    post("/api/uploads", FORM, "Content-Type: multipart/form-data; boundary=b"),
    post("/api/search", b'{"focusMode":"none","query":"a"}', JSON),
    post("/api/config", b'{"openaiApiKey":"a"}', JSON),
    get("/api/chats/a%20b?c=d", "Origin: http://localhost:3000"),
)
# What does not end a stream at once: the front is to get beyond the first request.
GOOD = (*CORPUS[-4:], *(raw for raw, right in (TABLE | FURTHER).values() if min(right) < 300))
TOKENS = (
    *(b"\r\n", b"\n", b"\r", b" ", b"\t", b":", b"\x00", b"0\r\n\r\n", b"\r\n\r\n", b";", b","),
    *(b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n", b"Host: h\r\n", b"HTTP/1.1"),
    *(b"Connection: close\r\n", b"Upgrade: websocket\r\n", b"Expect: 100-continue\r\n", b"GET "),
    *(b"ffffffffffffffff\r\n", b"-1", b"\xff" * 3, b"a" * 9000, b"X: y\r\n" * 101),
)

Mutation = Callable[[random.Random, bytes], bytes]


def place(rng: random.Random, data: bytes) -> int:
    """Anywhere in it, its end included."""
    return rng.randrange(len(data) + 1)


def piece(rng: random.Random, data: bytes) -> tuple[int, int]:
    """Where a short piece of it begins and ends."""
    start = place(rng, data)
    return start, min(len(data), start + rng.randrange(1, 40))


def change_byte(rng: random.Random, data: bytes) -> bytes:
    """Another byte in the place of one."""
    at = place(rng, data)
    return data[:at] + bytes([rng.randrange(256)]) + data[at + 1 :]


def cut_out(rng: random.Random, data: bytes) -> bytes:
    """A piece less."""
    start, end = piece(rng, data)
    return data[:start] + data[end:]


def say_twice(rng: random.Random, data: bytes) -> bytes:
    """A piece once more, somewhere else."""
    start, end = piece(rng, data)
    at = place(rng, data)
    return data[:at] + data[start:end] + data[at:]


def put_in(rng: random.Random, data: bytes) -> bytes:
    """Something that means something."""
    at = place(rng, data)
    return data[:at] + rng.choice(TOKENS) + data[at:]


def cross(rng: random.Random, data: bytes) -> bytes:
    """The beginning of it and the end of another."""
    other = rng.choice(CORPUS)
    return data[: place(rng, data)] + other[place(rng, other) :]


def cut_off(rng: random.Random, data: bytes) -> bytes:
    """Its beginning."""
    return data[: place(rng, data)]


MUTATIONS: tuple[Mutation, ...] = (change_byte, cut_out, say_twice, put_in, cross, cut_off)


def stream(rng: random.Random) -> bytes:
    """Some requests of the corpus, and most often something wrong with them."""
    chosen = (
        rng.choice(GOOD if rng.random() < 0.8 else CORPUS) for _ in range(rng.randrange(1, 6))
    )
    data = b"".join(chosen)
    if not rng.randrange(150):
        data *= 1 + LARGE_BYTES // (len(data) + 1)  # more than is kept unread
    for _ in range(rng.randrange(4)):
        data = rng.choice(MUTATIONS)(rng, data)
    return data


def segments(rng: random.Random, data: bytes) -> Iterable[bytes]:
    """The stream in pieces as a network might bring it."""
    most = rng.choice([size for size in (1, 7, 100, READ_BYTES) if len(data) < 500 * size])
    at = 0
    while at < len(data):
        size = rng.randrange(1, most + 1)
        yield data[at : at + size]
        at += size


def whole(data: bytes) -> Iterable[bytes]:
    """The stream in as large pieces as are read at once."""
    return (data[at : at + READ_BYTES] for at in range(0, len(data), READ_BYTES))


async def answers(hall: Hall, pieces: Iterable[bytes]) -> tuple[list[int], list[int]]:
    """What the stream brings: the statuses of all answers, and of those that a route gave."""
    before = hall.answered
    wire = hall.connect()
    async with asyncio.timeout(MOST_S):
        await wire.deliver(pieces)
        await wire.end()
    told = [status for status in wire.statuses() if status >= 200]
    return told, told[: hall.answered - before]


async def play(seed: int, hall: Hall) -> list[int]:
    """Send the stream of a seed, whole and in pieces; the statuses of its answers."""
    problems: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, problem: problems.append(problem))
    rng = random.Random(seed)
    sent, before = stream(rng), hall.answered
    with capture_logs() as logged:
        told, given = await answers(hall, whole(sent))
    asked = hall.answered - before
    # Of a body that is taken while it comes and breaks off, the client has left.
    assert asked - 1 <= len(told) <= asked + 1, "an answer to each, and a refusal at the end"
    assert asked <= sent.count(b"\r\n\r\n"), "no more requests than the stream has ends of heads"
    assert all(status < 500 or status in DECLARED for status in told), told
    with capture_logs() as logged_again:
        _, again = await answers(hall, segments(rng, sent))
    assert all(map(eq, given, again)), "the same requests, however they are cut"
    # A route that does not read its body ends the connection, unless all of the body is there.
    assert len(given) == len(again) or STREAMED in sent.lower(), "as many requests"
    errors = [dict(line) for line in (*logged, *logged_again) if line["log_level"] == "error"]
    assert not problems + errors, problems + errors
    return told


def play_all(seeds: Iterable[int]) -> Counter[int]:
    """Play the stream of each seed; how often each status was answered."""

    async def run() -> Counter[int]:
        hall, told = Hall(), Counter[int]()
        for seed in seeds:
            try:
                told.update(await play(seed, hall))
            except Exception as error:
                error.add_note(f"the stream of seed {seed}")
                raise
        return told

    return run_virtual(run())


def main() -> None:
    """Play until the time is up."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--first", type=int, default=1)
    args = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    seed, told = args.first, Counter[int]()
    until = time.monotonic() + args.seconds
    while time.monotonic() < until:
        told += play_all(range(seed, seed + BATCH))
        seed += BATCH
    print(f"{seed - args.first} streams from a corpus of {len(CORPUS)}:", dict(told))  # noqa: T201


if __name__ == "__main__":
    main()
