"""Connections to sites that anybody may name: each address is checked where it is connected to.

A check of the name in a link comes too early: the name may resolve to something else a moment
later, and a redirect leads elsewhere. Here the check sees the address that the socket will use.
"""

import asyncio
import functools
import socket
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import httpcore
import httpx

from protocol.offload import Offload
from upstreams.addresses import Admits
from upstreams.late import AddressRefused
from upstreams.places import Places
from upstreams.replies import to_the_end

LOOKUPS = 4  # of names, at once
MOST_ADDRESSES = 3  # of one name, tried one after the other
IDLE_CONNECTIONS = 16
IDLE_S = 10
UNKNOWN = (OSError, UnicodeError, OverflowError)  # of a name that nobody has, or that is none
Resolve = Callable[[str, int], list[str]]
HTTPCORE = (
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.ProxyError,
    httpcore.TimeoutException,
    httpcore.UnsupportedProtocol,
)


def addresses_of(host: str, port: int) -> list[str]:
    """The numeric addresses of a name, each once, as the system knows them; blocks.

    Raises the errors of ``UNKNOWN``.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(where[0]) for *_, where in found))


class CheckedNetwork(httpcore.AsyncNetworkBackend):
    """Connects only where it is let: ``admits`` is given name, numeric address and port.

    ``resolve`` tells the addresses of a name, and ``network`` connects to one of them.
    """

    def __init__(
        self,
        admits: Admits,
        offload: Offload,
        resolve: Resolve = addresses_of,
        network: httpcore.AsyncNetworkBackend | None = None,
    ) -> None:
        self._admits = admits
        self._addresses_of = resolve
        self._network = network or httpcore.AnyIOBackend()
        # asyncio's own look-up shares its few threads with every other connection of the program,
        # and a name whose servers do not answer holds one for many seconds.
        self._places = Places(offload, LOOKUPS)

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's interface
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address of the name that answers.

        A name of which one address is refused is refused: who gives it several names the bad one
        by intent, or may do so the next time.
        """
        failure: Exception = httpcore.ConnectError()
        addresses = await self._resolve(host, port, timeout)
        if not all(self._admits(host, address, port) for address in addresses):
            raise AddressRefused("its address must not be connected to")
        for address in addresses[:MOST_ADDRESSES]:
            try:
                return await self._network.connect_tcp(
                    address, port, timeout, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    async def _resolve(self, host: str, port: int, timeout_s: float | None) -> list[str]:
        """The numeric addresses of a name."""
        try:
            async with asyncio.timeout(timeout_s):
                return await self._places(functools.partial(self._addresses_of, host, port))
        except TimeoutError as error:
            raise httpcore.ConnectTimeout from error
        except UNKNOWN as error:
            raise httpcore.ConnectError from error

    async def connect_unix_socket(self, *_: Any, **__: Any) -> httpcore.AsyncNetworkStream:
        """Refuse: no page is served there."""
        raise httpcore.ConnectError

    async def sleep(self, seconds: float) -> None:
        """Wait between two tries."""
        await asyncio.sleep(seconds)


class CheckedTransport(httpx.AsyncBaseTransport):
    """An httpx transport over ``CheckedNetwork``; opened at its first request.

    httpx has no public way to hand a network to its own transport, httpcore has.
    """

    def __init__(
        self,
        admits: Admits,
        offload: Offload,
        *,
        connections: int,
        resolve: Resolve = addresses_of,
    ) -> None:
        self._network = CheckedNetwork(admits, offload, resolve)
        self._connections = connections
        self._pool: httpcore.AsyncConnectionPool | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The head of the reply; its body is read from the stream."""
        sent = httpcore.Request(
            request.method,
            httpcore.URL(
                scheme=request.url.raw_scheme,
                host=request.url.raw_host,
                port=request.url.port,
                target=request.url.raw_path,
            ),
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        with told_as_httpx():
            response = await self._opened().handle_async_request(sent)
        return httpx.Response(response.status, headers=response.headers, stream=_Body(response))

    async def aclose(self) -> None:
        """Close all connections."""
        if self._pool is not None:
            await self._pool.aclose()

    def _opened(self) -> httpcore.AsyncConnectionPool:
        if self._pool is None:
            self._pool = httpcore.AsyncConnectionPool(
                ssl_context=httpx.create_ssl_context(),
                max_connections=self._connections,
                max_keepalive_connections=IDLE_CONNECTIONS,
                keepalive_expiry=IDLE_S,
                network_backend=self._network,
            )
        return self._pool


@contextmanager
def told_as_httpx() -> Iterator[None]:
    """Httpcore's errors as those of httpx, which have the same names."""
    try:
        yield
    except HTTPCORE as error:
        kind = getattr(httpx, type(error).__name__, httpx.TransportError)
        raise kind(str(error)) from error


class _Body(httpx.AsyncByteStream):
    """The body of a reply, as httpx wants it."""

    def __init__(self, response: httpcore.Response) -> None:
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with told_as_httpx():
            async for chunk in self._response.aiter_stream():
                yield chunk

    async def aclose(self) -> None:
        await to_the_end(self._response.aclose())
