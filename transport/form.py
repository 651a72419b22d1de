"""Forms with files, taken while they come: the only home of the multipart library."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Protocol

from multipart import (
    MultipartError,
    MultipartSegment,
    ParserLimitReached,
    PushMultipartParser,
    parse_options_header,
)

from protocol.base import Value
from protocol.errors import TooLarge
from transport.refusals import BadRequest, UnsupportedMediaType

MOST_FIELDS = 32
FIELD_BYTES = 4_000
NAME_CHARS = 200
HEADER_BYTES = 4_000
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


class Sink(Protocol):
    """Where a file goes."""

    def write(self, data: bytes, /) -> Awaitable[None]:
        """Take in the next piece; waits while the disk is slow."""


class FormLimits(Value, frozen=True):
    """How many files a form may have, and how many bytes each."""

    files: int
    file_bytes: int

    @property
    def body_bytes(self) -> int:
        """How many bytes the whole body may have."""
        return self.files * (self.file_bytes + 2 * HEADER_BYTES) + MOST_FIELDS * 2 * FIELD_BYTES


class Form:
    """Reads a form; ``fields`` has its texts once it is read."""

    def __init__(self, limits: FormLimits, *, field: str, begin: Callable[[str], Sink]) -> None:
        """Begin with nothing read.

        Args:
            limits: Bounds of the form.
            field: The field whose files are wanted; any other file is passed over.
            begin: Is given the name of each file, and gives where its content goes.

        """
        self.fields: dict[str, str] = {}
        self._limits = limits
        self._field = field
        self._begin = begin
        self._files = 0
        self._segment: MultipartSegment | None = None
        self._sink: Sink | None = None
        self._text = bytearray()

    async def read(self, content_type: str, stream: AsyncIterator[bytes]) -> None:
        """Read the form to its end.

        Raises:
            UnsupportedMediaType: It is announced as something else.
            BadRequest: It is malformed, or ends too early.
            TooLarge: A file, their number, or the form is over its limit.

        """
        kind, options = parse_options_header(content_type)
        if kind != "multipart/form-data":
            raise UnsupportedMediaType("multipart/form-data")
        try:
            with self._parser(options.get("boundary", "")) as parser:
                async for data in stream:
                    for event in parser.parse(data):
                        await self._take(event)
        except ParserLimitReached as error:
            raise TooLarge("The form", limit=MOST_FIELDS, unit="fields") from error
        except MultipartError as error:
            raise BadRequest("its form is malformed") from error

    def _parser(self, boundary: str) -> PushMultipartParser:
        return PushMultipartParser(
            boundary,
            max_header_size=HEADER_BYTES,
            max_segment_count=self._limits.files + MOST_FIELDS,
        )

    async def _take(self, event: MultipartSegment | bytes | bytearray | None) -> None:
        if isinstance(event, MultipartSegment):
            self._enter(event)
        elif event is None:
            self._leave()
        else:
            await self._content(bytes(event))

    def _enter(self, segment: MultipartSegment) -> None:
        # The library refuses a bare line feed only where it comes in another piece than the CRLF.
        if any("\n" in value for field in segment.headerlist for value in field):
            raise BadRequest("its form is malformed")
        self._segment = segment
        self._sink = None
        self._text.clear()
        if segment.name == self._field and segment.filename:
            self._files += 1
            if self._files > self._limits.files:
                raise TooLarge("The form", limit=self._limits.files, unit="files")
            self._sink = self._begin(plain_name(segment.filename))

    async def _content(self, data: bytes) -> None:
        assert self._segment is not None
        if self._sink is not None:
            if self._segment.bytes_received > self._limits.file_bytes:
                raise TooLarge("A file", limit=self._limits.file_bytes, unit="bytes")
            await self._sink.write(data)
        elif self._segment.filename is None:
            self._text += data
            if len(self._text) > FIELD_BYTES:
                raise TooLarge("A field", limit=FIELD_BYTES, unit="bytes")

    def _leave(self) -> None:
        if self._segment is not None and self._segment.filename is None:
            self.fields[self._segment.name or ""] = self._text.decode("utf-8", "replace")
        self._segment = None


def plain_name(name: str) -> str:
    """The last part of a file's name, without what cannot be seen; of a long one its end."""
    last = re.split(r"[/\\]", name)[-1]
    return _UNSEEN.sub("", last).strip()[-NAME_CHARS:] or "file"
