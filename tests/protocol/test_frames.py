"""Events as frames: the shapes that clients know."""

import json
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.errors import Busy, InvalidFormat
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
    decode_event,
    encode_event,
)
from protocol.frames import PLAIN, V2, dialect, encode, error_frame, merged, source
from protocol.ids import ChatId, MessageId, SessionId, TurnId
from protocol.values import Node, Question, TurnInfo

QUESTION = Question(ChatId("c"), MessageId("m"), "Why?", "webSearch", "speed")
TURN = TurnInfo(TurnId("t"), SessionId("s"), MessageId("a"), QUESTION)
TAIL = {"messageId": "a", "seq": 3}
SOURCE = {"pageContent": "text", "metadata": {"title": "Title", "url": "https://example.org"}}

SHAPES: list[tuple[Event, dict[str, Any] | None, dict[str, Any]]] = [
    (Accepted(), None, {"type": "accepted", "turnId": "t"}),
    (Status("searching"), None, {"type": "status", "stage": "searching"}),
    (
        Status("searching", "why"),
        None,
        {"type": "status", "stage": "searching", "detail": "why"},
    ),
    (
        SourcesFound((Node("text", "Title", "https://example.org", 0.5),)),
        {"type": "sources", "data": [SOURCE]},
        {"type": "sources", "data": [SOURCE]},
    ),
    (Delta("a"), {"type": "message", "data": "a"}, {"type": "message", "data": "a"}),
    (Finished(), {"type": "messageEnd"}, {"type": "messageEnd"}),
    (
        Failed("CHAIN_ERROR", "It broke."),
        {"type": "messageEnd"},
        {"type": "error", "data": "It broke.", "key": "CHAIN_ERROR"},
    ),
    (Stopped(), {"type": "messageEnd"}, {"type": "stopped"}),
]


@pytest.mark.parametrize(("event", "plain", "v2"), SHAPES)
def test_each_event_has_its_frame_in_each_dialect(
    event: Event, plain: dict[str, Any] | None, v2: dict[str, Any]
) -> None:
    """The keys in the order of the reference: type, data, messageId; then ours."""
    for known, shape in ((PLAIN, plain), (V2, v2)):
        frame = encode(Entry(3, event), TURN, known)
        if shape is None:
            assert frame is None
        else:
            assert frame is not None
            assert list(json.loads(frame).items()) == list({**shape, **TAIL}.items())


def test_every_event_stands_in_the_table() -> None:
    """An event that is added needs its shapes here."""
    assert {type(event) for event, _, _ in SHAPES} == set(V2)


@pytest.mark.parametrize(("event", "_plain", "_v2"), SHAPES)
def test_events_survive_the_store(event: Event, _plain: object, _v2: object) -> None:
    """What is read is what was written."""
    assert decode_event(encode_event(event)) == event


@pytest.mark.parametrize(
    ("subprotocol", "known"), [(None, PLAIN), ("other", PLAIN), ("perplexica.v2", V2)]
)
def test_dialect_follows_the_subprotocol(subprotocol: str | None, known: object) -> None:
    """Only who asks for ours gets it."""
    assert dialect(subprotocol) is known


def test_image_stands_in_a_source_only_where_there_is_one() -> None:
    """As in the reference."""
    for image, shown in ((None, {}), ("", {}), ("i", {"img_src": "i"})):
        told = msgspec.to_builtins(source(Node("t", "T", "u", img_src=image)))
        assert told == {"pageContent": "t", "metadata": {"title": "T", "url": "u", **shown}}


@given(st.lists(st.text(max_size=3) | st.none(), max_size=20))
def test_merging_keeps_text_order_and_numbers(pieces: list[str | None]) -> None:
    """Deltas that follow each other become one, which bears the last number; no text is lost."""
    events: list[Event] = [Status("writing") if p is None else Delta(p) for p in pieces]
    entries = [Entry(seq, event) for seq, event in enumerate(events, 1)]
    joined = list(merged(entries))
    assert text(joined) == text(entries)
    assert [entry.seq for entry in joined] == sorted({entry.seq for entry in joined})
    assert not any(
        isinstance(one.event, Delta) and isinstance(other.event, Delta)
        for one, other in pairwise(joined)
    )
    assert (joined[-1].seq if joined else 0) == len(entries)


def text(entries: list[Entry]) -> str:
    """The joined text."""
    return "".join(e.event.text for e in entries if isinstance(e.event, Delta))


def test_error_frame_has_the_references_shape_and_our_detail() -> None:
    """The web UI reads type, data and key."""
    assert json.loads(error_frame(InvalidFormat("history: is missing"))) == {
        "type": "error",
        "data": "Invalid message format",
        "key": "INVALID_FORMAT",
        "detail": "history: is missing",
    }
    assert "detail" not in json.loads(error_frame(Busy("questions")))
