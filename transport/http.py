"""Requests, responses and routes: what a route is written in."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from email.utils import formatdate
from http import HTTPStatus
from math import ceil
from typing import Any, Literal, Protocol, Self, TypeVar

import msgspec

from access.proofs import NO_PROOF, Proof
from access.quotas import Deed
from protocol.access import KEEPER, Person, counted
from protocol.base import Value
from protocol.errors import InvalidFormat, ServiceError
from protocol.settings import Settings
from transport.refusals import VERSION, MethodNotAllowed, UnsupportedMediaType, UpgradeRequired
from transport.services import Services

RETRY_AFTER_S = 2  # where nothing is known
MOST_DETAIL = 200

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
PIECE_BYTES = 256 * 1024  # of an answer, written at once
LAST_CHUNK = b"0\r\n\r\n"

Access = Literal["anybody", "user", "admin"]

T = TypeVar("T")
Headers = tuple[tuple[str, str], ...]

_PLACE = re.compile(r"at `\$\.?([^`]*)`$")
_FIELD = re.compile(r"field `([^`]*)`")
JSON = ("Content-Type", "application/json; charset=utf-8")
# Answers are one user's own: no cache may keep them, no browser may take them for a page.
_ALWAYS: Headers = (
    ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
)


class Request(Value, frozen=True):
    """What a client asks over HTTP.

    ``path`` is as it came; ``params`` are the parts of it that the route's pattern names,
    percent-decoded, as are ``query`` and its values; ``headers`` have lower-case names. Of a route
    that ``streams``, the body comes piece by piece through ``stream``. ``peer`` is the numeric
    address of who has connected, perhaps a proxy. ``person`` is who asks, by their ``proof``; of
    routes that anybody may ask it says nothing.
    """

    method: str
    path: str
    params: Mapping[str, str] = {}
    query: Mapping[str, str] = {}
    headers: Mapping[str, str] = {}
    body: bytes = b""
    stream: AsyncIterator[bytes] | None = None
    peer: str = ""
    proof: Proof = NO_PROOF
    person: Person = KEEPER

    @property
    def keys(self) -> tuple[str, ...]:
        """Under which is counted what who asks does."""
        return counted(self.proof.address, self.person.name)

    def body_as(self, kind: type[T]) -> T:
        """The JSON body as a ``kind``.

        Raises:
            InvalidFormat: It is no JSON, or of another shape; its detail names the field.
            UnsupportedMediaType: It is not announced as JSON (a web page of anybody may send
                plain text here without being asked, but not JSON).

        """
        announced = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        if announced != "application/json":
            raise UnsupportedMediaType("application/json")
        try:
            return msgspec.json.decode(self.body, type=kind)
        except msgspec.ValidationError as error:
            raise InvalidFormat(_complaint(str(error))) from error
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise InvalidFormat("body: not JSON") from error


# What ``body_as`` raises.
UNREADABLE: tuple[type[ServiceError], ...] = (InvalidFormat, UnsupportedMediaType)


class Problem(Value, frozen=True, omit_defaults=True):
    """Why there is no answer; ``detail`` names the field at fault, or says more."""

    message: str
    detail: str = ""


class Pieces(Protocol):
    """A body that is made while it is sent."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        """The pieces; the next one is asked for when the client has taken the last."""

    async def aclose(self) -> None:
        """End the work behind it; called in every case, also when no piece was asked for."""


class Response(Value, frozen=True):
    """What is answered: a status, headers, and the body, whole or in ``pieces``."""

    status: int = 200
    body: bytes = b""
    headers: Headers = ()
    pieces: Pieces | None = None

    @classmethod
    def of(cls, value: object, *, status: int = 200, headers: Headers = ()) -> Self:
        """A response with ``value`` as JSON."""
        return cls(status, msgspec.json.encode(value), (JSON, *headers))

    @classmethod
    def of_error(cls, error: ServiceError) -> Self:
        """The response that tells the client of ``error``, in its sentence."""
        sentence = str(error)
        detail = "" if error.detail in sentence else error.detail
        return cls.of(Problem(sentence, detail), status=error.status, headers=_advice(error))

    def encode(
        self, *, at: float, more: Headers, keep: bool, head_only: bool, chunked: bool = True
    ) -> bytes:
        """The response as it goes over the wire; of one in pieces, the head.

        Args:
            at: The time of it, in seconds since 1970.
            more: Further headers.
            keep: Whether the connection stays open after it.
            head_only: Whether to leave out the body (but not its length).
            chunked: Whether pieces are sent as chunks (else the body ends with the connection).

        """
        lines = [f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}"]
        headers = (("Date", formatdate(at, usegmt=True)), *self.headers, *_ALWAYS, *more)
        lines += [f"{name}: {value}" for name, value in headers]
        lines += [f"{name}: {value}" for name, value in self._framing(chunked=chunked)]
        lines.append(f"Connection: {'keep-alive' if keep else 'close'}\r\n\r\n")
        head = "\r\n".join(lines).encode("latin-1")
        return head if head_only else head + self.body

    def _framing(self, *, chunked: bool) -> Headers:
        """Where the body ends."""
        if self.pieces is not None:
            return (("Transfer-Encoding", "chunked"),) if chunked else ()
        if self.status == HTTPStatus.NO_CONTENT:
            return ()
        return (("Content-Length", str(len(self.body))),)


class Route(Value, frozen=True):
    """One row of the table of routes: ``/api/chats/{chat_id}`` names a part of the path.

    ``access`` says who may ask it, ``spends`` under what it is counted for them. ``streams`` gives
    how many bytes the form may have that the route takes while it comes; its path has no named
    parts. What follows describes the route to its clients: the names in its ``query``, the shape of
    the ``body`` that it reads, what it ``shows`` when all is well (plain text for ``str``; where it
    ``tells_events``, perhaps as Server-Sent Events), and the ``errors`` that it may raise beside
    those of any request.
    """

    method: str
    pattern: str
    function: Callable[[Request, Services], Awaitable[Response]]
    access: Access = "user"
    streams: Callable[[Settings], int] | None = None
    spends: Deed | None = None
    query: tuple[str, ...] = ()
    body: Any = None
    shows: type = dict
    tells_events: bool = False
    errors: tuple[type[ServiceError], ...] = ()


def as_chunk(piece: bytes) -> bytes:
    """A piece as a chunk; nothing for an empty piece, whose chunk would end the body."""
    return b"%x\r\n%b\r\n" % (len(piece), piece) if piece else b""


def _advice(error: ServiceError) -> Headers:
    """The headers that say what can be done about the error."""
    if isinstance(error, UpgradeRequired):
        return (("Upgrade", "websocket"), ("Sec-WebSocket-Version", VERSION))
    if isinstance(error, MethodNotAllowed):
        return (("Allow", ", ".join(error.allowed)),)
    after_s = RETRY_AFTER_S if error.again_after_s is None else ceil(error.again_after_s)
    return (("Retry-After", str(max(1, after_s))),) if error.temporary else ()


def _complaint(words: str) -> str:
    """Field and trouble, taken from msgspec's words for it."""
    place, field = _PLACE.search(words), _FIELD.search(words)
    found: list[Any] = [match[1] for match in (place, field) if match and match[1]]
    trouble = "is missing" if "missing" in words else "has the wrong shape"
    return f"{'.'.join(found)[:MOST_DETAIL] or 'body'}: {trouble}"
