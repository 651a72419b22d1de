"""Reading what services send, cut and broken in every way."""

import json
from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as some

from providers.anthropic_api import AnthropicDialect
from providers.calls import Dialect, Unreadable
from providers.endpoint import Endpoint, is_usable_address
from providers.gemini_api import GeminiDialect
from providers.lines import Lines, LineTooLong
from providers.ollama_api import OllamaDialect
from providers.openai_api import OpenAiDialect
from providers.remote import JOINED_CHARS, joined
from tests.providers.tiny_server import event, ollama_line

DIALECTS: tuple[Dialect, ...] = (
    OpenAiDialect(),
    OllamaDialect(),
    AnthropicDialect(),
    GeminiDialect(),
)
FIELDS = [
    "choices", "delta", "content", "error", "message", "done", "data", "models",
    "type", "text", "candidates", "parts", "finishReason", "embeddings", "details",
]  # fmt: skip
json_values = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats() | some.text(max_size=5),
    lambda inner: (
        some.lists(inner, max_size=3)
        | some.dictionaries(
            some.sampled_from(FIELDS),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)


@given(some.binary(max_size=200), some.lists(some.integers(0, 200), max_size=8))
def test_lines_are_the_same_wherever_the_stream_is_cut(data: bytes, cuts: list[int]) -> None:
    """Chunks have no meaning: only the ends of lines have."""
    lines, found = Lines(limit=1000), []
    edges = [0, *sorted(cuts), len(data)]
    for start, end in pairwise(edges):
        found += lines.feed(data[start:end])
    found += lines.rest()
    expected = data.split(b"\n")
    assert found == (expected if expected[-1] else expected[:-1])


@pytest.mark.parametrize("chunks", [[b"x" * 11], [b"x" * 6, b"x" * 6], [b"x" * 11 + b"\n"]])
def test_line_over_the_limit_is_refused(chunks: list[bytes]) -> None:
    """A line without end is not kept."""
    lines = Lines(limit=10)
    with pytest.raises(LineTooLong):
        list(map(lines.feed, chunks))


@given(some.text())
def test_any_text_comes_through(text: str) -> None:
    """A piece is what the service said, to the letter."""
    line = event(text).split(b"\n")[0]
    assert DIALECTS[0].piece(line) == (text, False)
    assert DIALECTS[1].piece(ollama_line(text, done=True)) == (text, True)


@given(some.binary(max_size=60) | json_values.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    """Readers raise nothing but Unreadable, and give nothing but what they promise."""
    for dialect in DIALECTS:
        for read in (dialect.piece, dialect.vectors, dialect.listed):
            for given_data in (data, b"data: " + data):
                with suppress(Unreadable):
                    assert isinstance(read(given_data), tuple | list)


@given(some.text(max_size=30).map(lambda text: f"http://{text}") | some.text(max_size=30))
def test_usable_addresses_make_calls(address: str) -> None:
    """What passes the check can be joined with a path."""
    if is_usable_address(address):
        url = Endpoint("x", address).url("/models")
        assert url.startswith("http")
        assert "/models" in url


def test_path_goes_before_the_query_of_the_address() -> None:
    """A base address may carry parameters of its own, and so may a call."""
    endpoint = Endpoint("x", "https://host:1/v1/?version=2#part")
    assert endpoint.url("/models") == "https://host:1/v1/models?version=2"
    assert endpoint.url("/models", "a=b") == "https://host:1/v1/models?version=2&a=b"
    assert Endpoint("x", "https://host").url("/models", "a=b") == "https://host/models?a=b"


def words(line: bytes) -> tuple[str, bool]:
    """A dialect of which each line is text, but for two words."""
    if line == b"broken":
        raise Unreadable
    return ("", True) if line == b"end" else (line.decode(), False)


def test_what_comes_together_is_one_piece() -> None:
    """Lines of one read are told as one, up to the end of the answer."""
    assert list(joined(words, [b"a", b"", b"b"])) == [("ab", False)]
    assert list(joined(words, [b"a", b"end", b"b"])) == [("a", True)]


def test_text_ahead_of_an_error_is_told() -> None:
    """What came whole in the same read is not lost with what cannot be read."""
    pieces = joined(words, [b"a", b"b", b"broken"])
    assert next(pieces) == ("ab", False)
    with pytest.raises(Unreadable):
        next(pieces)


def test_pieces_are_not_joined_without_end() -> None:
    """However much comes in one read, a piece stays small enough for one frame."""
    lines = [b"x" * 100] * 100
    pieces = [text for text, _ in joined(words, lines)]
    assert "".join(pieces) == "x" * 10_000
    assert max(map(len, pieces)) < JOINED_CHARS + 100
