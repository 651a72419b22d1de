"""What a reading process is asked and what it answers, and how that goes over the socket."""

import socket
from typing import Any, TypeVar

import msgspec

from protocol.base import Value
from retrieval.library.passages import Passage
from retrieval.pages.content import Page
from retrieval.pages.fetcher import Fetched

HEAD_BYTES = 4
MOST_BYTES = 64 * 1024 * 1024  # of one message; a page unpacked is smaller, and so is its text

T = TypeVar("T")


class ReadPage(Value, frozen=True, tag="page"):
    """Read a page of at most ``most_bytes``, unpacked."""

    fetched: Fetched
    most_bytes: int


class ReadFile(Value, frozen=True, tag="file"):
    """Read the file whose descriptor comes with this."""

    name: str


class PageRead(Value, frozen=True, tag="page_read"):
    """The page."""

    page: Page


class FileRead(Value, frozen=True, tag="file_read"):
    """The passages of the file, at least one."""

    passages: tuple[Passage, ...]


class Refused(Value, frozen=True, tag="refused"):
    """It cannot be read; ``error`` is the name of what is to be raised, with its problem."""

    error: str
    problem: str


Job = ReadPage | ReadFile
Done = PageRead | FileRead | Refused

JOBS: msgspec.msgpack.Decoder[Job] = msgspec.msgpack.Decoder(Job)
DONE: msgspec.msgpack.Decoder[Done] = msgspec.msgpack.Decoder(Done)


def send(peer: socket.socket, message: Job | Done, *descriptors: int) -> None:
    """Send a message, with descriptors where it needs any; raises OSError."""
    data = msgspec.msgpack.encode(message)
    head = len(data).to_bytes(HEAD_BYTES)
    socket.send_fds(peer, [head], list(descriptors))
    peer.sendall(data)


def receive(peer: socket.socket, decoder: msgspec.msgpack.Decoder[T]) -> tuple[T, list[int]]:
    """The next message and its descriptors.

    Raises OSError (EOFError among them) when the other side has gone or takes too long, and
    msgspec's errors for what is no message.
    """
    head, descriptors, _, _ = socket.recv_fds(peer, HEAD_BYTES, 1)
    size = int.from_bytes(head)
    if len(head) < HEAD_BYTES or size > MOST_BYTES:
        raise ConnectionError
    return decoder.decode(_exactly(peer, size)), descriptors


def _exactly(peer: socket.socket, size: int) -> Any:
    data = bytearray(size)
    rest = memoryview(data)
    while rest:
        taken = peer.recv_into(rest)
        if not taken:
            raise ConnectionError
        rest = rest[taken:]
    return data
