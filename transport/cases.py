"""Recorded turns with their answers, from the store or from a file that somebody has sent in."""

import zlib
from pathlib import Path

import msgspec

from protocol.access import EVERYBODY
from protocol.base import Value
from protocol.errors import NotFound, ServiceError
from protocol.traces import Recording
from storage.store import Store, StoredTurn, Trace
from upstreams.tape import Unplayable, unpacked

MOST_BYTES = 64 * 1024 * 1024  # of a case that somebody else has made, unpacked


class Case(Value, frozen=True):
    """What a turn went through, what it was given, and what it answered."""

    trace: Trace
    answer: StoredTurn
    recording: Recording


class NotSaved(ServiceError):
    """The file of a case cannot be written or read."""

    def __init__(self, path: str) -> None:
        super().__init__(f"The file {path} cannot be used.")


async def read_case(store: Store, trace: Trace) -> Case:
    """The case of a turn; raises NotFound where it was not recorded, and Unplayable."""
    answer = await store.turn(trace.message_id, EVERYBODY)
    data = await store.recording(trace.turn_id, EVERYBODY)
    if answer is None or not data:
        raise NotFound("has no recording")
    return Case(trace, answer, unpacked(data))


def save_case(case: Case, path: str) -> None:
    """Write a file of it; raises NotSaved, also where there is one of that name."""
    try:
        with Path(path).open("xb") as file:
            file.write(zlib.compress(msgspec.msgpack.encode(case)))
    except OSError as error:
        raise NotSaved(path) from error


def is_file(name: str) -> bool:
    """Whether that is the name of a file."""
    return bool(name) and Path(name).is_file()


def load_case(path: str) -> Case:
    """The case in a file; raises NotSaved and Unplayable."""
    try:
        packed = Path(path).read_bytes()
    except OSError as error:
        raise NotSaved(path) from error
    try:
        data = zlib.decompressobj().decompress(packed, MOST_BYTES)
        return msgspec.msgpack.decode(data, type=Case)
    except (zlib.error, msgspec.MsgspecError) as error:
        raise Unplayable from error
