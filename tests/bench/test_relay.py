"""The bare relay, beside which the program is measured."""

import json

import pytest

from bench.relay import frame, text_of
from bench.stream_source import HEAD, PIECE, TAIL


@pytest.mark.parametrize(
    ("chunk", "said"), [(PIECE, " Quay"), (HEAD, ""), (TAIL, ""), (b"0\r\n\r\n", "")]
)
def test_text_is_found_behind_the_head_of_a_chunk(chunk: bytes, said: str) -> None:
    """Heads and ends of streams have none."""
    assert "".join(map(text_of, chunk.split(b"\n\n"))) == said


@pytest.mark.parametrize(("size", "head"), [(10, 2), (1_000, 4), (70_000, 10)])
def test_frame_tells_its_length(size: int, head: int) -> None:
    """In as many bytes as RFC 6455 has for it."""
    made = frame("x" * (size - 2))
    assert len(made) == head + size
    assert json.loads(made[head:]) == "x" * (size - 2)
