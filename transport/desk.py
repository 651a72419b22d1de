"""What all clients of a server share."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from access.proofs import Proof
from actors.context import bound
from transport.correlation import Field, echoed, facts_of, new_request_id
from transport.head import Head
from transport.http import Headers, Request, Response
from transport.reader import READ_BYTES, Incoming, ReadLimits
from transport.traffic import Traffic
from transport.visitors import Visitors


@dataclass(frozen=True, slots=True)
class Times:
    """How long a client may take, in seconds.

    Attributes:
        request_s: From the first byte of a request to its last; of one whose route takes the body
            while it comes, to the last of its head, and again as long for the body.
        send_s: To take a piece of an answer.
        body_rate: So many bytes of such a body give it a second more.
        idle_s: Between two requests.
        linger_s: To see the last answer and leave, once nothing more is read from it.
        farewell_s: Until work for it is stopped after it has said that it sends no more: most that
            say so have left, but some still read.

    """

    request_s: float
    send_s: float
    body_rate: float = 1024.0
    idle_s: float = 60.0
    linger_s: float = 5.0
    farewell_s: float = 2.0


class Guest(Protocol):
    """A client that is being served."""

    @property
    def task(self) -> asyncio.Task[None] | None:
        """The task that answers a request, while there is one."""

    def shut(self) -> None:
        """Close at once, unless an answer is being given."""

    def abort(self) -> None:
        """Close at once."""


@dataclass(slots=True)
class Desk:
    """What all fronts of a server share.

    Attributes:
        answer: Gives the response to a request; never fails.
        upgrade: Takes over a socket whose client wants a WebSocket; raises a ServiceError.
        proof: What a head proves of who asks.
        visitors: Says who may ask, and which pages may read the answers.
        limits: How large a request may be.
        times: How long a client may take.
        now: The time of day, in seconds since 1970.
        new_id: Makes an id for a request that brings none.
        buffer: Where each socket is read into; small, so that none holds up the others for long.
        fronts: Those at work.
        traffic: Counts bytes.
        closing: Whether connections end with the answer they wait for.

    """

    answer: Callable[[Request], Awaitable[Response]]
    upgrade: Callable[[asyncio.Transport, Incoming], None]
    proof: Callable[[Head, asyncio.Transport], Proof]
    visitors: Visitors
    limits: ReadLimits
    times: Times
    now: Callable[[], float]
    new_id: Callable[[], str] = new_request_id
    buffer: bytearray = field(default_factory=lambda: bytearray(READ_BYTES))
    fronts: set[Guest] = field(default_factory=set)
    traffic: Traffic = field(default_factory=Traffic)
    closing: bool = False

    def heard(self, field: Field) -> AbstractContextManager[None]:
        """Within it, all that is logged and begun belongs to the request of that head."""
        return bound(**facts_of(field, self.new_id))

    def headers(self, origin: str, host: str) -> Headers:
        """What every answer says beside its own: to the browser, and to the proxies."""
        return (*self.visitors.origins.headers(origin, host), *echoed())
