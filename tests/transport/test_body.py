from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.errors import ServiceError, TooLarge
from transport.body import OVERHEAD_BYTES, Chunked, body_of
from transport.refusals import BadRequest

REST = b"GET / HTTP/1.1\r\n"


def take(data: bytes, step: int, limit: int = 1000) -> tuple[bytes, bytes] | None:
    """Body and what is left, of bytes that come ``step`` at a time; None when not whole."""
    body, buffer = Chunked(limit), bytearray()
    whole = False
    for start in range(0, len(data), step):
        buffer += data[start : start + step]
        whole = whole or body.take(buffer)
    return (body.whole(), bytes(buffer)) if whole else None


def chunked(parts: list[bytes]) -> bytes:
    chunks = (b"%x\r\n%b\r\n" % (len(part), part) for part in parts if part)
    return b"".join(chunks) + b"0\r\n\r\n"


@given(st.lists(st.binary(max_size=40), max_size=8), st.integers(1, 50))
def test_chunks_are_joined_however_they_come(parts: list[bytes], step: int) -> None:
    """The body is all its chunks, and what follows it is left alone to the byte."""
    assert take(chunked(parts) + REST, step) == (b"".join(parts), REST)


@pytest.mark.parametrize(
    "data",
    [
        b'5;a=b;c="d"\r\nhello\r\n0\r\n\r\n',
        b"0005\r\nhello\r\n000\r\nX-Trailer: 1\r\nY:2\r\n\r\n",
        b"2 ;x\r\nhe\r\n3\r\nllo\r\n0;last\r\n\r\n",
    ],
)
def test_extensions_and_trailers_are_forgotten(data: bytes) -> None:
    """What chunks carry beside their data changes nothing."""
    for step in (1, 3, 100):
        assert take(data + REST, step) == (b"hello", REST)


@pytest.mark.parametrize(
    "data",
    [
        b"\r\n",
        b"x\r\n",
        b"-5\r\nhello\r\n",
        b"+5\r\nhello\r\n",
        b"0x5\r\nhello\r\n",
        b" 5\r\nhello\r\n",
        b"5 \r\nhello\r\n",
        b"5\nhello\r\n0\r\n\r\n",
        b"5\rhello\r\n0\r\n\r\n",
        b"5;a\nb\r\nhello\r\n0\r\n\r\n",
        b"5;\x00\r\nhello\r\n0\r\n\r\n",
        b"5\r\nhello0\r\n\r\n",
        b"5\r\nhello\n0\r\n\r\n",
        b"5\r\nhello!\r\n0\r\n\r\n",
        b"5\r\nhell\r\n0\r\n\r\n",
        b"0\r\nno colon\r\n\r\n",
        b"0\r\n folded: 1\r\n\r\n",
        b"0\r\n\n",
        b"1_0\r\n",
        b"1" * 16 + b"\r\n",
        b"5;" + b"a" * 600,
        b"0\r\n" + b"a" * 600,
        b"0\r\n" + b"a: b\r\n" * 4000,
    ],
)
def test_what_is_no_chunk_is_refused(data: bytes) -> None:
    """Any doubt about where a chunk ends is an error."""
    for step in (1, 7, 100_000):
        with pytest.raises((BadRequest, TooLarge)):
            take(data, step)


def test_a_body_over_its_limit_is_refused_as_early_as_possible() -> None:
    """A length is enough to refuse; so is the size of a chunk, before its data."""
    with pytest.raises(TooLarge):
        body_of(1001, 1000)
    with pytest.raises(TooLarge):
        take(b"3e9\r\n", 1)
    assert take(b"3e8\r\n" + b"a" * 1000 + b"\r\n0\r\n\r\n", 64) == (b"a" * 1000, b"")


def test_chunks_of_a_byte_are_refused_when_they_are_many() -> None:
    """The frame of the chunks may not outgrow the data without bound."""
    few, many = OVERHEAD_BYTES // 4, OVERHEAD_BYTES
    assert take(b"1\r\na\r\n" * few + b"0\r\n\r\n", 4096, limit=10**6) is not None
    with pytest.raises(BadRequest):
        take(b"1\r\na\r\n" * many, 4096, limit=10**6)


@given(st.binary(max_size=60), st.integers(1, 9))
def test_any_bytes_are_taken_or_refused(data: bytes, step: int) -> None:
    """Noise brings out nothing but an error of ours, and never more bytes than went in."""
    with suppress(ServiceError):
        taken = take(data, step)
        assert taken is None or sum(map(len, taken)) < len(data)
