"""Events and errors as the frames that clients know: a table of both dialects."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

from protocol.base import Value
from protocol.errors import ServiceError
from protocol.events import (
    Accepted,
    Delta,
    Entry,
    Event,
    Failed,
    Finished,
    SourcesFound,
    Status,
    Stopped,
)
from protocol.ids import MessageId
from protocol.values import Node, TurnInfo

SUBPROTOCOL = "perplexica.v2"
SIGNAL_OPEN = '{"type":"signal","data":"open"}'
PONG = '{"type":"pong"}'

MOST_CHARS = 16_384  # of one frame of text: what a client that has stopped reading can make us hold

Frame = dict[str, Any]
Maker = Callable[[Any, TurnInfo], Frame]


class SourcePlace(Value, frozen=True, omit_defaults=True):
    """Where a source is; the image only where there is one."""

    title: str
    url: str
    img_src: str = ""


class Source(Value, frozen=True, rename="camel"):
    """A node as clients know it."""

    page_content: str
    metadata: SourcePlace


def source(node: Node) -> Source:
    """A node as clients know it; the image only where there is one."""
    return Source(node.text, SourcePlace(node.title, node.url, node.img_src or ""))


def _sources(event: SourcesFound, _turn: TurnInfo) -> Frame:
    return {"type": "sources", "data": [source(node) for node in event.nodes]}


def _message(event: Delta, _turn: TurnInfo) -> Frame:
    return {"type": "message", "data": event.text}


def _message_end(_event: Event, _turn: TurnInfo) -> Frame:
    return {"type": "messageEnd"}


def _accepted(_event: Accepted, turn: TurnInfo) -> Frame:
    return {"type": "accepted", "turnId": turn.turn_id}


def _status(event: Status, _turn: TurnInfo) -> Frame:
    frame = {"type": "status", "stage": event.stage}
    return {**frame, "detail": event.detail} if event.detail else frame


def _error(event: Failed, _turn: TurnInfo) -> Frame:
    return {"type": "error", "data": event.sentence, "key": event.key}


def _stopped(_event: Stopped, _turn: TurnInfo) -> Frame:
    return {"type": "stopped"}


# A plain client is told of a failure by the answer itself, which the turn has already written:
# both web UIs break on an error frame inside a turn.
PLAIN: dict[type[Event], Maker] = {
    SourcesFound: _sources,
    Delta: _message,
    Finished: _message_end,
    Failed: _message_end,
    Stopped: _message_end,
}
V2: dict[type[Event], Maker] = {
    **PLAIN,
    Accepted: _accepted,
    Status: _status,
    Failed: _error,
    Stopped: _stopped,
}
# Server-Sent Events: who reads them is a program, which is better served by an error.
STREAMED: dict[type[Event], Maker] = {**PLAIN, Failed: _error}


def dialect(subprotocol: str | None) -> dict[type[Event], Maker]:
    """The frames that a client with this subprotocol knows."""
    return V2 if subprotocol == SUBPROTOCOL else PLAIN


def encode(entry: Entry, turn: TurnInfo, known: dict[type[Event], Maker]) -> str | None:
    """The frame that tells an entry; ``None`` when the client does not know such frames."""
    maker = known.get(type(entry.event))
    if maker is None:
        return None
    frame = {**maker(entry.event, turn), "messageId": turn.answer_id, "seq": entry.seq}
    return _encoded(frame)


def merged(entries: Iterable[Entry]) -> Iterator[Entry]:
    """The entries with deltas that follow each other joined into one, which has the last number.

    One that has reached ``MOST_CHARS`` is closed, so that no frame is much larger than that.
    """
    waiting: list[str] = []
    seq = chars = 0
    for entry in entries:
        is_delta = isinstance(entry.event, Delta)
        if waiting and (not is_delta or chars >= MOST_CHARS):
            yield Entry(seq, Delta("".join(waiting)))
            waiting, chars = [], 0
        if isinstance(entry.event, Delta):
            waiting.append(entry.event.text)
            seq, chars = entry.seq, chars + len(entry.event.text)
        else:
            yield entry
    if waiting:
        yield Entry(seq, Delta("".join(waiting)))


def resumed_frame(turn: TurnInfo, seq: int) -> str:
    """The word that the events behind ``seq`` follow."""
    return _encoded({"type": "resumed", "messageId": turn.answer_id, "seq": seq})


def snapshot_frame(turn: TurnInfo, seq: int, text: str) -> str:
    """The whole answer so far, in place of all that was told of it before."""
    return _encoded({"type": "snapshot", "data": text, "messageId": turn.answer_id, "seq": seq})


def drain_frame(retry_after_ms: int) -> str:
    """The word that the server is about to leave; it may be tried again after that time."""
    return _encoded({"type": "signal", "data": "drain", "retryAfterMs": retry_after_ms})


def error_frame(error: ServiceError, message_id: MessageId | None = None) -> str:
    """The frame for what cannot be answered at all; ``detail`` names the field at fault."""
    frame = {"type": "error", "data": str(error), "key": error.key}
    if error.detail:
        frame["detail"] = error.detail
    if message_id is not None:
        frame["messageId"] = message_id
    return _encoded(frame)


def _encoded(frame: Frame) -> str:
    return msgspec.json.encode(frame).decode()
