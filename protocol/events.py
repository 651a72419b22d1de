"""What happens in a turn, in order: the lines of its journal.

An event that promises something (Accepted, SourcesFound, Finished, Failed, Stopped) is durable
before a client sees it; Queued, Status and Delta are shown at once and stored in groups.
"""

from typing import Literal

import msgspec

from protocol.base import Value
from protocol.traces import Span
from protocol.values import Node

Stage = Literal["rephrasing", "searching", "reading", "reranking", "writing", "verifying"]


class Accepted(Value, frozen=True, tag="accepted"):
    """The question is durable."""


class Queued(Value, frozen=True, tag="queued"):
    """As many turns run as may; ``position`` questions begin before, or with, this one."""

    position: int


class Status(Value, frozen=True, tag="status"):
    """The turn has entered a stage; ``detail`` is a few words for the reader."""

    stage: Stage
    detail: str = ""


class SourcesFound(Value, frozen=True, tag="sources"):
    """The sources of the answer, best first, in the order of their citations; once a turn."""

    nodes: tuple[Node, ...]


class Delta(Value, frozen=True, tag="delta"):
    """The next piece of the answer."""

    text: str


class Finished(Value, frozen=True, tag="finished"):
    """The answer is whole; ``stages`` has the milliseconds of each stage, ``story`` has it all."""

    stages: dict[str, int] = msgspec.field(default_factory=dict)
    story: tuple[Span, ...] = ()


class Failed(Value, frozen=True, tag="failed"):
    """The turn has ended without a whole answer; the deltas have said so to the reader.

    ``again_after_s`` are the seconds after which the same may succeed, where that is known.
    """

    key: str
    sentence: str
    stages: dict[str, int] = msgspec.field(default_factory=dict)
    again_after_s: float | None = None
    story: tuple[Span, ...] = ()


class Stopped(Value, frozen=True, tag="stopped"):
    """The user has ended the turn; what was written is kept."""

    stages: dict[str, int] = msgspec.field(default_factory=dict)
    story: tuple[Span, ...] = ()


Event = Accepted | Queued | Status | SourcesFound | Delta | Finished | Failed | Stopped
END = (Finished, Failed, Stopped)


class Entry(Value, frozen=True):
    """An event and its number; numbers start at 1 and have no holes."""

    seq: int
    event: Event


_decoder: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event)
_encoder = msgspec.json.Encoder()


def encode_event(event: Event) -> bytes:
    """The event as JSON with its kind in ``type``."""
    return _encoder.encode(event)


def decode_event(data: bytes | str) -> Event:
    """The event that ``encode_event`` made ``data`` from."""
    return _decoder.decode(data)
