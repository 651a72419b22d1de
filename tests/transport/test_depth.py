"""JSON that is nested deeper than anybody could mean: an error, and no crash."""

import pytest

from protocol.commands import decode_command
from protocol.errors import InvalidFormat
from protocol.settings import Limits
from tests.transport.places import client, get, post, serving
from transport.routes import ROUTES

DEPTH = 100_000
DEEP = {
    "lists": b"[" * DEPTH + b"]" * DEPTH,
    "objects": b'{"a":' * DEPTH + b"1" + b"}" * DEPTH,
    "lists without end": b"[" * DEPTH,
    "objects without end": b'{"a":' * DEPTH,
    "both by turns": b'[{"a":' * DEPTH,
    "where a field is expected": b'{"query":' + b"[" * DEPTH + b"]" * DEPTH + b"}",
    "where nobody looks": b'{"x":' + b"[" * DEPTH + b"]" * DEPTH + b"}",
    "behind what is known": b'{"type":"message","history":' + b"[" * DEPTH,
}
TAKE_JSON = [route.pattern for route in ROUTES if route.body and not route.streams]


@pytest.mark.parametrize("body", DEEP.values(), ids=DEEP)
async def test_a_body_that_is_too_deep_is_refused_by_every_route(body: bytes) -> None:
    """400 with a sentence, whatever the route; the same connection then serves on."""
    assert len(TAKE_JSON) >= 5
    async with serving(limits=Limits()) as server, client(server) as one:
        for path in TAKE_JSON:
            answer = await one.ask(post(path, body, "Content-Type: application/json"))
            assert answer.status == 400, path
            assert answer.json()["message"] == "Invalid message format", path
            assert (await one.ask(get("/api"))).status == 200


@pytest.mark.parametrize("frame", DEEP.values(), ids=DEEP)
@pytest.mark.parametrize("is_v2", [False, True])
def test_a_frame_that_is_too_deep_is_refused(frame: bytes, is_v2: bool) -> None:
    """As text and as bytes, to whatever kind of client."""
    for sent in (frame, frame.decode()):
        with pytest.raises(InvalidFormat):
            decode_command(sent, question_chars=1000, is_v2=is_v2)
