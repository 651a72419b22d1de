"""The fault matrix: what goes wrong, between the program and which service, and what then is told.

A fault is an address, and what stands there instead of the service that is meant. Where a fault
makes no sense literally, its row in ``MALFORMED`` has the nearest that does.
"""

import socket
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Literal

from tests.standins.fault_proxy import PLAIN, FaultProxy, Way, Ways
from tests.standins.fixed_reply import FixedReply, said

Service = Literal["search", "chat", "embedding", "page"]
SERVICES: tuple[Service, ...] = ("search", "chat", "embedding", "page")

PLAINLY = "http://127.0.0.1:{port}"
NO_NAME = "http://nowhere.invalid:{port}"
SECURE = "https://127.0.0.1:{port}"

SEARCH_S = PAGE_S = RERANK_S = TOKEN_GAP_S = 1.0
FIRST_TOKEN_S = 1.5
TURN_S = 4.0
LIMITS = {
    "PERPLEXICA_UI_GAP_MS": "0",
    "PERPLEXICA_LIMITS_REPHRASE_S": "0.5",
    "PERPLEXICA_LIMITS_SEARCH_S": f"{SEARCH_S}",
    "PERPLEXICA_LIMITS_RERANK_S": f"{RERANK_S}",
    "PERPLEXICA_LIMITS_FIRST_TOKEN_S": f"{FIRST_TOKEN_S}",
    "PERPLEXICA_LIMITS_TOKEN_GAP_S": f"{TOKEN_GAP_S}",
    "PERPLEXICA_LIMITS_TURN_S": f"{TURN_S}",
    "PERPLEXICA_PAGES_PAGE_S": f"{PAGE_S}",
    "PERPLEXICA_CACHE_SEARCH_S": "0",
    "PERPLEXICA_CACHE_PAGE_S": "0",
    "PERPLEXICA_CACHE_EMBEDDING_S": "0",
    "PERPLEXICA_RESILIENCE_FAILURES": "0",  # one cell's fault must not be the next one's
}
LATE_S = 10.0  # longer than anything is waited for
DRIP = 1000.0  # bytes a second: the words of a model come often enough, but never all
BEGUN = 600  # bytes: behind the head of a reply, and the first words of a model

EVENT = b'data: {"choices": [{"delta": {"content": "It begins so."}}]}\n\n'
STREAM = "text/event-stream"
NOISE = b"\xff\xfe\x00 <html>\n\n"
HTML = b"<html><body><h1>502 Bad Gateway</h1><p>nginx</p></body></html>"
REFUSAL = b'{"error": {"message": "secret words of the service", "type": "an_error"}}'

# What the services say that do not speak properly.
MALFORMED: Mapping[str, Mapping[Service, bytes]] = {
    "truncated JSON": {
        "search": said(b'{"query": "x", "results": [{"title": "Half", "url": "https://site1.ex'),
        "chat": said(EVENT + EVENT[:30], STREAM),
        "embedding": said(b'{"object": "list", "data": [{"index": 0, "embedding": [0.5, 0.'),
        # A page is no JSON: less of it comes than its head promises.
        "page": said(b"<html><body><p>Half a page", "text/html", missing=400),
    },
    "bad SSE": {
        "chat": said(EVENT + NOISE, STREAM),
        # Only a chat model streams: bytes of a wrong type where a document should be.
        **dict.fromkeys(("search", "embedding", "page"), said(NOISE, STREAM)),
    },
}


@contextmanager
def held_port() -> Iterator[int]:
    """A port of loopback that is nobody else's, and refuses connections until somebody listens."""
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


@dataclass(frozen=True)
class Spot:
    """Where a service is to be, and the port where it really is."""

    service: Service
    port: int
    target: int


Stand = Callable[[Spot], AbstractAsyncContextManager[object]]


def through(*, up: Way = PLAIN, down: Way = PLAIN) -> Stand:
    """The service itself, behind a proxy that spoils what passes."""
    return lambda spot: FaultProxy(spot.target, lambda _: Ways(up, down), port=spot.port)


def always(reply: bytes) -> Stand:
    """A server that says the same to everything."""
    return lambda spot: FixedReply(reply, spot.port)


def malformed(fault: str) -> Stand:
    """A server that says what the table above has for the service."""
    return lambda spot: FixedReply(MALFORMED[fault][spot.service], spot.port)


@asynccontextmanager
async def nobody(_spot: Spot) -> AsyncIterator[None]:
    """Nobody at all."""
    yield


@dataclass(frozen=True)
class Trouble:
    """What stands in place of a service, and the address by which the program knows it."""

    stand: Stand
    address: str = PLAINLY


WELL = Trouble(through())
FAULTS: Mapping[str, Trouble] = {
    "refused": Trouble(nobody),
    "reset": Trouble(through(down=Way(cut_at=0))),
    "black hole": Trouble(through(up=Way(cut_at=0, cut="stall"))),
    "slow first byte": Trouble(through(down=Way(delay_s=LATE_S))),
    "stall in the stream": Trouble(through(down=Way(cut_at=BEGUN, cut="stall"))),
    "drip": Trouble(through(down=Way(bytes_per_s=DRIP, slice_bytes=1))),
    "truncated JSON": Trouble(malformed("truncated JSON")),
    "bad SSE": Trouble(malformed("bad SSE")),
    "401": Trouble(always(said(REFUSAL, status=401))),
    "429 with Retry-After": Trouble(always(said(REFUSAL, status=429, extra="Retry-After: 1\r\n"))),
    "500": Trouble(always(said(REFUSAL, status=500))),
    "502 with HTML": Trouble(always(said(HTML, "text/html", status=502))),
    "DNS failure": Trouble(nobody, NO_NAME),
    "TLS failure": Trouble(always(said(b"", status=400)), SECURE),
}


@dataclass(frozen=True)
class Outcome:
    """What a client is told.

    Attributes:
        says: A pattern of what the answer says of the fault; empty where it need say nothing.
        key: Of the error that ends the turn; ``None`` where the answer is whole all the same.

    """

    says: str = ""
    key: str | None = None


FALLEN_BACK = Outcome("Searching did not work just now")
BY_WORDS = Outcome()
FIRST_WORDS = f"The model's first words took longer than {FIRST_TOKEN_S:g} s"
UNREACHED = "it cannot be reached"
NOT_IN_TIME = "it did not (come|answer) in time"
# A resolver that does not answer either has the deadline end the wait.
OUTCOMES: Mapping[Service, Mapping[str, Outcome]] = {
    "search": dict.fromkeys(FAULTS, FALLEN_BACK),
    "embedding": dict.fromkeys(FAULTS, BY_WORDS),
    "chat": {
        "refused": Outcome(UNREACHED),
        "reset": Outcome("the connection broke off"),
        "black hole": Outcome(FIRST_WORDS),
        "slow first byte": Outcome(FIRST_WORDS),
        "stall in the stream": Outcome(
            f"The next words of the model took longer than {TOKEN_GAP_S:g} s", "DEADLINE_EXCEEDED"
        ),
        "drip": Outcome(f"The whole answer took longer than {TURN_S:g} s", "DEADLINE_EXCEEDED"),
        "truncated JSON": Outcome("it sent something unreadable", "MODEL_UNAVAILABLE"),
        "bad SSE": Outcome("it did not answer with a stream of text", "MODEL_UNAVAILABLE"),
        "401": Outcome("it refused the key"),
        "429 with Retry-After": Outcome("it takes no more requests at the moment"),
        "500": Outcome("it answered with status 500"),
        "502 with HTML": Outcome("it answered with status 502"),
        "DNS failure": Outcome(f"{UNREACHED}|{FIRST_WORDS}"),
        "TLS failure": Outcome(UNREACHED),
    },
    "page": {
        "refused": Outcome(UNREACHED),
        "reset": Outcome("the connection broke off"),
        "black hole": Outcome(NOT_IN_TIME),
        "slow first byte": Outcome(NOT_IN_TIME),
        "stall in the stream": Outcome(NOT_IN_TIME),
        "drip": Outcome(NOT_IN_TIME),
        "truncated JSON": Outcome("it does not speak HTTP properly"),
        "bad SSE": Outcome("it is of the type text/event-stream, which is not read"),
        "401": Outcome("it answered with status 401"),
        "429 with Retry-After": Outcome("it answered with status 429"),
        "500": Outcome("it answered with status 500"),
        "502 with HTML": Outcome("it answered with status 502"),
        "DNS failure": Outcome(f"{UNREACHED}|{NOT_IN_TIME}"),
        "TLS failure": Outcome(UNREACHED),
    },
}
# Of a chat model that has written nothing, where nothing can be quoted in its place.
KEYS: Mapping[str, str] = {
    "refused": "MODEL_UNAVAILABLE",
    "reset": "MODEL_UNAVAILABLE",
    "black hole": "DEADLINE_EXCEEDED",
    "slow first byte": "DEADLINE_EXCEEDED",
    "401": "MODEL_UNAVAILABLE",
    "429 with Retry-After": "MODEL_UNAVAILABLE",
    "500": "MODEL_UNAVAILABLE",
    "502 with HTML": "MODEL_UNAVAILABLE",
    "TLS failure": "MODEL_UNAVAILABLE",
}
CELLS = [(service, fault) for service in SERVICES for fault in FAULTS]
