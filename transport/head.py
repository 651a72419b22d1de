"""The head of a request, read strictly: what two readers could take differently is refused.

One pattern over the raw bytes settles the shape (line ends, single spaces, no folded lines, no
control characters, no space before a colon); httptools then tells the fields apart; the checks at
the end settle what they mean. httptools 0.9 by itself lets pass: two spaces in the request line,
a fragment in the target, several transfer codings, codings in HTTP/1.0, a method that is only known
to RTSP or ICE, any number of Host fields (or none), and heads of any size.
"""

import re
from collections.abc import Callable
from urllib.parse import parse_qsl

import httptools

from protocol.base import Value
from transport.refusals import (
    BadRequest,
    ExpectationFailed,
    HeadTooLarge,
    NotImplementedHere,
    UnknownVersion,
)

LINE_BYTES = 8_000  # websockets, which reads the head of an upgrade again, stops at 8,192
FIELDS = 100  # browsers send some twenty, and proxies before us a few more
QUERY_FIELDS = 100  # no route knows more than a handful
LENGTH_DIGITS = 15

_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]++"
_REQUEST_LINE = rb"(" + _TOKEN + rb") ([!-~]++) HTTP/([0-9]\.[0-9])\r\n"
_SHAPE = re.compile(_REQUEST_LINE + rb"(?:" + _TOKEN + rb":[\t -~\x80-\xff]*+\r\n)*+\r\n")
_FIRST_LINE = re.compile(_REQUEST_LINE)
_NEVER = re.compile(rb"[^\t\r\n -~\x80-\xff]|(?<!\r)\n|\r(?!\n|\Z)")
_ABSOLUTE = re.compile(r"https?://([^/?#]*)(/[^?#]*)?(?:\?([^#]*))?", re.IGNORECASE)
_AUTHORITY = re.compile(r"(?:[A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")

Fields = dict[str, list[str]]


class Head(Value, frozen=True):
    """What the head of a request says.

    ``path`` is as it came, percent signs and all; ``headers`` have lower-case names, and a name
    that came twice has its values joined by a comma. ``length`` is ``None`` for a chunked body.
    """

    method: str
    path: str
    query: dict[str, str]
    version: str
    host: str
    headers: dict[str, str]
    length: int | None

    @property
    def is_upgrade(self) -> bool:
        """Whether a WebSocket is asked for."""
        return "websocket" in tokens(self.headers.get("upgrade", "")) and self.version == "1.1"

    @property
    def keeps_alive(self) -> bool:
        """Whether the connection may stay open after the answer."""
        return self.version == "1.1" and "close" not in tokens(self.headers.get("connection", ""))

    @property
    def expects_continue(self) -> bool:
        """Whether the client waits for a word before it sends the body."""
        return "expect" in self.headers and self.version == "1.1" and self.length != 0


def tokens(value: str) -> frozenset[str]:
    """The lower-case members of a comma-separated field."""
    return frozenset(member.strip(" \t").lower() for member in value.split(","))


def check_beginning(data: bytearray, start: int) -> None:
    """Raise BadRequest as soon as ``data`` can no longer become a good head.

    Bytes before ``start`` have been looked at already.
    """
    if _NEVER.search(data, max(start - 1, 0)):
        raise BadRequest("a control character, or a line end that is not CR LF")
    if b"\r\n" in data and not _FIRST_LINE.match(data):
        raise BadRequest("the first line is no request line of HTTP/1.1")


def read_head(raw: bytes) -> Head:
    """The head that ``raw`` is, to its empty line.

    Raises:
        BadRequest: It can be read in more ways than one, or in none.
        HeadTooLarge: It has too long a line or too many fields.
        NotImplementedHere: Its method or its transfer coding is unknown.
        UnknownVersion: It is neither HTTP/1.0 nor HTTP/1.1.

    """
    version = _check_shape(raw)
    heard = _hear(raw)
    fields: Fields = {}
    for name, value in heard.fields:
        fields.setdefault(name.lower(), []).append(value)
    for check in _CHECKS:
        check(fields, version)
    authority, path, query = _split_target(heard.target)
    return Head(
        method=heard.method,
        path=path,
        query=read_query(query),
        version=version,
        host=authority or "".join(fields.get("host", ())),
        headers={name: ", ".join(values) for name, values in fields.items()},
        length=_length(fields),
    )


def read_query(query: str) -> dict[str, str]:
    """The parameters of a query string, decoded; of a name that comes twice the last counts."""
    if not query:
        return {}
    try:
        return dict(parse_qsl(query, keep_blank_values=True, max_num_fields=QUERY_FIELDS))
    except ValueError:
        raise BadRequest("the query has too many parameters") from None


def _check_shape(raw: bytes) -> str:
    lines = raw.split(b"\r\n")
    if len(lines) - 3 > FIELDS:
        raise HeadTooLarge("in all", limit=FIELDS, unit="fields")
    if max(map(len, lines)) > LINE_BYTES:
        raise HeadTooLarge("in one line", limit=LINE_BYTES, unit="bytes")
    shape = _SHAPE.fullmatch(raw)
    if shape is None:
        raise BadRequest("its head is malformed")
    if shape[3] not in {b"1.0", b"1.1"}:
        raise UnknownVersion
    return shape[3].decode()


class _Heard:
    """What httptools says of a head."""

    def __init__(self) -> None:
        self.method = ""
        self.target = ""
        self.fields: list[tuple[str, str]] = []
        self.complete = False

    def on_url(self, part: bytes) -> None:
        self.target += part.decode("ascii")

    def on_header(self, name: bytes, value: bytes) -> None:
        self.fields.append((name.decode("ascii"), value.decode("latin-1").strip(" \t")))

    def on_headers_complete(self) -> None:
        self.complete = True


def _hear(raw: bytes) -> _Heard:
    heard = _Heard()
    parser = httptools.HttpRequestParser(heard)
    try:
        parser.feed_data(raw)
    except httptools.HttpParserUpgrade:
        pass  # what an upgrade means is for us to say
    except httptools.HttpParserInvalidMethodError as error:
        raise NotImplementedHere("method") from error
    except httptools.HttpParserError as error:
        raise BadRequest("its head is malformed") from error
    heard.method = parser.get_method().decode("ascii")
    if not heard.complete or len(heard.fields) != raw.count(b"\r\n") - 2:
        raise BadRequest("its head is malformed")
    return heard


def _split_target(target: str) -> tuple[str, str, str]:
    """Authority (empty unless the target is absolute), path and query of a request target."""
    if target.startswith("/") and "#" not in target:
        path, _, query = target.partition("?")
        return "", path, query
    absolute = _ABSOLUTE.fullmatch(target)
    if absolute is None or not _AUTHORITY.fullmatch(absolute[1]):
        raise BadRequest("its target is neither a path nor a web address")
    return absolute[1], absolute[2] or "/", absolute[3] or ""


def _check_host(fields: Fields, version: str) -> None:
    hosts = fields.get("host", [])
    if len(hosts) > 1 or (not hosts and version == "1.1"):
        raise BadRequest("there must be one Host")
    if hosts and not _AUTHORITY.fullmatch(hosts[0]):
        raise BadRequest("its Host is malformed")


def _check_length(fields: Fields, _: str) -> None:
    lengths = fields.get("content-length", [])
    if len(lengths) > 1:
        raise BadRequest("there is more than one Content-Length")
    if lengths and not (lengths[0].isascii() and lengths[0].isdecimal()):
        raise BadRequest("its Content-Length is no number")
    if lengths and len(lengths[0]) > LENGTH_DIGITS:
        raise BadRequest("its Content-Length is beyond reason")


def _check_coding(fields: Fields, version: str) -> None:
    codings = fields.get("transfer-encoding")
    if codings is None:
        return
    if "content-length" in fields or version == "1.0":
        raise BadRequest("its Transfer-Encoding contradicts the rest")
    if len(codings) > 1 or codings[0].lower() != "chunked":
        raise NotImplementedHere("transfer coding")


def _check_upgrade(fields: Fields, _: str) -> None:
    if "websocket" not in tokens(",".join(fields.get("upgrade", ()))):
        return
    if "transfer-encoding" in fields or fields.get("content-length", ["0"]) != ["0"]:
        raise BadRequest("an upgrade has no body")


def _check_expectation(fields: Fields, _: str) -> None:
    expected = fields.get("expect", ["100-continue"])
    if [value.lower() for value in expected] != ["100-continue"]:
        raise ExpectationFailed


_CHECKS: tuple[Callable[[Fields, str], None], ...] = (
    _check_host,
    _check_length,
    _check_coding,
    _check_upgrade,
    _check_expectation,
)


def _length(fields: Fields) -> int | None:
    if "transfer-encoding" in fields:
        return None
    return int(fields.get("content-length", ["0"])[0])
