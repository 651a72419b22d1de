"""Events and errors as the frames that clients know: a table of both dialects."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

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
from protocol.values import Node, TurnInfo

SUBPROTOCOL = "perplexica.v2"
SIGNAL_OPEN = '{"type":"signal","data":"open"}'

Frame = dict[str, Any]
Maker = Callable[[Any, TurnInfo], Frame]


def source(node: Node) -> Frame:
    """A node as clients know it; the image only where there is one."""
    metadata = {"title": node.title, "url": node.url}
    if node.img_src:
        metadata["img_src"] = node.img_src
    return {"pageContent": node.text, "metadata": metadata}


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
    return msgspec.json.encode(frame).decode()


def merged(entries: Iterable[Entry]) -> Iterator[Entry]:
    """The entries with deltas that follow each other joined into one, which has the last number."""
    waiting: list[str] = []
    seq = 0
    for entry in entries:
        if isinstance(entry.event, Delta):
            waiting.append(entry.event.text)
            seq = entry.seq
            continue
        if waiting:
            yield Entry(seq, Delta("".join(waiting)))
            waiting = []
        yield entry
    if waiting:
        yield Entry(seq, Delta("".join(waiting)))


def error_frame(error: ServiceError) -> str:
    """The frame for what cannot be answered at all; ``detail`` names the field at fault."""
    frame = {"type": "error", "data": str(error), "key": error.key}
    if error.detail:
        frame["detail"] = error.detail
    return msgspec.json.encode(frame).decode()
