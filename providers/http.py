"""HTTP to model services: the only home of httpx here, loaded when first used."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import (
    AbstractAsyncContextManager,
    asynccontextmanager,
    contextmanager,
    suppress,
)
from functools import lru_cache
from typing import Any

import httpx

from protocol.errors import ModelUnavailable
from protocol.offload import Offload
from providers.calls import Call, Unreadable, refused
from providers.lines import Lines, LineTooLong
from upstreams.addresses import AddressPolicy
from upstreams.direct import Body, direct
from upstreams.late import AddressRefused
from upstreams.network import CheckedTransport
from upstreams.passing import after_failure
from upstreams.plain import PlainClient
from upstreams.replies import released

CONNECT_S = 5.0
WRITE_S = 30.0
POOL_S = 5.0
REFUSAL_S = 1.0  # for the body of a refusal, which only makes our words more exact
REFUSAL_BYTES = 16 * 1024
ENDING_S = 0.25  # for what follows the last piece, so that the connection can be used again
LINE_BYTES = 1024 * 1024
BODY_BYTES = 32 * 1024 * 1024
CONNECTIONS = 1_000
IDLE_CONNECTIONS = 64
IDLE_S = 5.0
ADDRESSES = 64

OpenClient = Callable[[], httpx.AsyncClient]


def open_client() -> httpx.AsyncClient:
    """A client that bounds connecting and sending; how long to wait for text is its user's."""
    most, idle = CONNECTIONS, IDLE_CONNECTIONS
    limits = httpx.Limits(
        max_connections=most, max_keepalive_connections=idle, keepalive_expiry=IDLE_S
    )
    transport = direct(limits)
    return _bounded(PlainClient, transport=transport) if transport else _bounded(limits=limits)


def open_guarded(policy: AddressPolicy, offload: Offload) -> httpx.AsyncClient:
    """As ``open_client``, for services that clients name: connects where the policy lets it."""
    transport = CheckedTransport(policy.admits, offload, connections=CONNECTIONS)
    # A proxy would connect to what is to be checked here.
    return _bounded(transport=transport, trust_env=False)


def _bounded(
    client: type[httpx.AsyncClient] = httpx.AsyncClient, **options: Any
) -> httpx.AsyncClient:
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs each address at info
    timeout = httpx.Timeout(None, connect=CONNECT_S, write=WRITE_S, pool=POOL_S)
    return client(timeout=timeout, follow_redirects=False, **options)


class Http:
    """Calls through one pool of connections, on one event loop.

    Of a streamed answer, what comes within ``lull_s`` is one batch, once it has begun.
    """

    def __init__(self, open_client: OpenClient = open_client, *, lull_s: float = 0.0) -> None:
        self._open_client = open_client
        self._lull_s = lull_s
        self._client = _opened(open_client)
        self._url = lru_cache(ADDRESSES)(httpx.URL)  # few, and slow to read

    def apart(self) -> "Http":
        """Another pool of the same kind, for another event loop."""
        return Http(self._open_client, lull_s=self._lull_s)

    async def read(self, call: Call, *, limit: int = BODY_BYTES) -> bytes:
        """The whole body of the reply; raises ModelUnavailable, also for one over the limit."""
        async with self._answered(call) as response:
            body = await _up_to(response, limit)
        if len(body) > limit:
            raise ModelUnavailable(call.service, f"its reply is over {limit} bytes")
        return body

    def stream(self, call: Call) -> AbstractAsyncContextManager["LineStream"]:
        """The reply line by line; leaving the context closes the connection at once.

        Raises ModelUnavailable, on entering and while the lines are read.
        """
        return self._stream(call)

    @asynccontextmanager
    async def _stream(self, call: Call) -> AsyncIterator["LineStream"]:
        async with self._answered(call) as response:
            yield LineStream(response, self._lull_s)

    @asynccontextmanager
    async def _answered(self, call: Call) -> AsyncIterator[httpx.Response]:
        """The reply to a call, once its head is there and says that all is well."""
        with translated(call.service):
            async with self._open(call) as response:
                if not response.is_success:
                    retry_after = response.headers.get("retry-after", "")
                    body = await _refusal(response)
                    raise refused(call, response.status_code, body, retry_after)
                _check_plain(response)
                yield response

    def _open(self, call: Call) -> AbstractAsyncContextManager[httpx.Response]:
        if self._client.is_closed:
            raise ModelUnavailable(call.service, "the program is being stopped")
        method = "GET" if call.body is None else "POST"
        url = self._url(call.url)
        asking = self._client.stream(method, url, headers=call.headers, content=call.body)
        return released(asking)

    async def close(self) -> None:
        """Close all connections; calls under way end with ModelUnavailable."""
        await self._client.aclose()


def _opened(open_client: OpenClient) -> httpx.AsyncClient:
    """A new client; httpx reads the proxies that the environment names here already."""
    try:
        return open_client()
    except (ImportError, ValueError, OSError, httpx.InvalidURL) as error:
        problem = "the proxy or certificates that the environment names cannot be used"
        raise ModelUnavailable("at the other end", problem) from error


class LineStream:
    """The lines of a reply as they come."""

    def __init__(self, response: httpx.Response, lull_s: float = 0.0) -> None:
        assert isinstance(response.stream, httpx.AsyncByteStream)
        self._stream = response.stream
        self._chunks = aiter(response.stream)  # past a layer of httpx, which counts its bytes
        self._lines = Lines(limit=LINE_BYTES)
        self._lull_s = lull_s

    def begun(self) -> None:
        """The answer has begun: nobody is in a hurry for each word of the rest."""
        if isinstance(self._stream, Body):
            self._stream.lull_s = self._lull_s

    async def batches(self) -> AsyncGenerator[list[bytes], None]:
        """The lines that have come together, until the reply ends."""
        async for chunk in self._chunks:
            yield self._lines.feed(chunk)
        yield self._lines.rest()

    async def end(self) -> None:
        """Read what still follows the answer, for a moment: a whole reply frees its connection."""
        with suppress(TimeoutError, httpx.HTTPError):
            async with asyncio.timeout(ENDING_S):
                async for _ in self._chunks:
                    pass


@contextmanager
def translated(service: str) -> Iterator[None]:
    """What goes wrong inside, told as ModelUnavailable in our own words."""
    try:
        yield
    except Unreadable as error:
        raise ModelUnavailable(service, str(error)) from error
    except LineTooLong as error:
        raise ModelUnavailable(service, "it sent a line without end") from error
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
        raise ModelUnavailable(
            service,
            _problem(error),
            is_down=not isinstance(error, AddressRefused),  # that says nothing of the service
            again_after_s=after_failure(error),
        ) from error


PROBLEMS: tuple[tuple[type[Exception], str], ...] = (
    (AddressRefused, "its address is not one that may be named here"),
    (httpx.ConnectTimeout, f"it cannot be reached within {CONNECT_S:g} s"),
    (httpx.ConnectError, "it cannot be reached"),
    (httpx.PoolTimeout, "too many calls to it wait already"),
    (httpx.WriteTimeout, "it does not take the question"),
    (httpx.UnsupportedProtocol, "its address cannot be used"),
    (httpx.InvalidURL, "its address cannot be used"),
    (UnicodeError, "its address cannot be used"),  # idna's, for a name that is none
    (httpx.LocalProtocolError, "its address or key cannot be used"),
    (httpx.ProxyError, "the proxy on the way to it refused"),
)


def _problem(error: Exception) -> str:
    known = (words for kind, words in PROBLEMS if isinstance(error, kind))
    return next(known, "the connection broke off")


async def _refusal(response: httpx.Response) -> bytes:
    """The start of a refusal's body, as far as it comes at once."""
    with suppress(TimeoutError, httpx.HTTPError):
        async with asyncio.timeout(REFUSAL_S):
            return await _up_to(response, REFUSAL_BYTES)
    return b""


async def _up_to(response: httpx.Response, limit: int) -> bytes:
    """The body, or a little more than ``limit`` bytes of it."""
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > limit:
            break
    return bytes(body)


def _check_plain(response: httpx.Response) -> None:
    """Refuse a compressed reply: none was asked for, and a small one may inflate without end."""
    if response.headers.get("content-encoding", "identity") != "identity":
        raise Unreadable("it sent a compressed reply that was not asked for")
