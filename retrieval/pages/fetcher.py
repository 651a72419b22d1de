"""Fetches a page of the web, whoever named it: bounded in every direction."""

import asyncio
import functools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from protocol.base import Value
from protocol.errors import PageUnreadable
from protocol.settings import Pages
from upstreams.late import AddressRefused
from upstreams.passing import after_failure
from upstreams.retry import Retry, after_status, once

HEADERS = {
    "User-Agent": "Mozilla/5.0 (compatible; python-perplexica)",
    "Accept": "text/html, application/xhtml+xml, application/pdf, text/plain;q=0.9, */*;q=0.5",
    "Accept-Encoding": "gzip, deflate",
    "Accept-Language": "*",
}
MOST_PIECES = 20_000  # chunks that a site sends its page in; those of most have kilobytes
PIECES_AT_ONCE = 50
PAUSE_S = 0.001
REDIRECTS = frozenset({301, 302, 303, 307, 308})
WEB = frozenset({"http", "https"})
UNNAMED = frozenset({"", "application/octet-stream", "binary/octet-stream"})
PROBLEMS: tuple[tuple[type[Exception], str], ...] = (
    (AddressRefused, "its address is not one of the open web"),
    (httpx.TimeoutException, "it did not answer in time"),
    (httpx.ConnectError, "it cannot be reached"),
    (httpx.ProtocolError, "it does not speak HTTP properly"),
    (httpx.InvalidURL, "its address cannot be used"),
    (httpx.UnsupportedProtocol, "its address cannot be used"),
    (UnicodeError, "its address cannot be used"),
)
FAILURES = (
    httpx.HTTPError,
    httpx.InvalidURL,
    UnicodeError,
    OSError,  # of the socket or of TLS in the middle of a body, which no library translates
)


class Fetched(Value, frozen=True):
    """The reply of a site as it came; ``packing`` is how ``body`` is compressed, if it is.

    ``kind`` is its type of content in lower case, empty where the site names none, and
    ``charset`` what it says of its letters.
    """

    body: bytes
    kind: str = ""
    charset: str = ""
    packing: str = ""


class Fetcher:
    """Gets pages through a transport alone: no cookies, no logins, no proxies, no cache.

    Redirects are followed here, hop by hop, through the same transport; so what checks addresses
    in it sees each of them.
    """

    def __init__(
        self, transport: httpx.AsyncBaseTransport, limits: Pages, retry: Retry | None = None
    ) -> None:
        self._retry = retry or once()
        self._transport = transport
        self._limits = limits
        self._places = asyncio.Semaphore(limits.at_once)

    async def fetch(self, link: str) -> Fetched:
        """The reply to a GET of an address of the web.

        Raises:
            PageUnreadable: It did not come whole within the limits, or is of no type that is read;
                also what the check of addresses says.

        """
        try:
            async with asyncio.timeout(self._limits.page_s), self._places:
                get = functools.partial(self._get, link)
                return await self._retry("pages", get, within_s=self._limits.page_s)
        except TimeoutError as error:
            raise PageUnreadable("it did not come in time") from error

    async def close(self) -> None:
        """Close all connections."""
        await self._transport.aclose()

    async def _get(self, link: str) -> Fetched:
        try:
            return await self._follow(link)
        except FAILURES as error:
            again_after_s = after_failure(error)
            raise PageUnreadable(problem_of(error), again_after_s=again_after_s) from error

    async def _follow(self, link: str) -> Fetched:
        url = usable(httpx.URL(link))
        for _ in range(self._limits.redirects + 1):
            async with self._opened(url) as response:
                if response.status_code not in REDIRECTS:
                    return await self._read(response)
                url = next_address(url, response)
        raise PageUnreadable("it redirects too often")

    @asynccontextmanager
    async def _opened(self, url: httpx.URL) -> AsyncIterator[httpx.Response]:
        timeout = httpx.Timeout(self._limits.page_s).as_dict()
        target = url.copy_with(fragment=None)  # that part is the browser's
        request = httpx.Request("GET", target, headers=HEADERS, extensions={"timeout": timeout})
        response = await self._transport.handle_async_request(request)
        try:
            yield response
        finally:
            await response.aclose()

    async def _read(self, response: httpx.Response) -> Fetched:
        if not response.is_success:
            raise refused(response)
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in UNNAMED and kind not in self._limits.types:
            raise PageUnreadable(f"it is of the type {kind[:60]}, which is not read")
        return Fetched(
            await self._body(response),
            "" if kind in UNNAMED else kind,
            response.charset_encoding or "",
            response.headers.get("content-encoding", "").strip().lower(),
        )

    async def _body(self, response: httpx.Response) -> bytes:
        """The bytes as sent: what they unpack to is counted where they are unpacked."""
        body, pieces = bytearray(), 0
        async for chunk in response.aiter_raw():
            body += chunk
            pieces += 1
            if len(body) > self._limits.page_bytes:
                raise too_large(self._limits.page_bytes)
            if pieces > MOST_PIECES:
                raise PageUnreadable("it comes in too many pieces")
            if not pieces % PIECES_AT_ONCE:
                # Chunks that have come together are handed out without a pause: ten thousand of a
                # byte each would hold everybody else up for half a second. Only a loop that is idle
                # for a moment lets the threads of the store have the interpreter.
                await asyncio.sleep(PAUSE_S)
        return bytes(body)


def usable(url: httpx.URL) -> httpx.URL:
    """The address; raises PageUnreadable for one that is not of the web, or logs somebody in."""
    if url.scheme not in WEB or not url.host or url.userinfo:
        raise PageUnreadable("its address cannot be used")
    return url


def next_address(url: httpx.URL, response: httpx.Response) -> httpx.URL:
    """Where a redirect leads; raises PageUnreadable where nobody should follow."""
    target = url.join(response.headers.get("location", ""))
    is_downgrade = url.scheme == "https" and target.scheme != "https"
    if "location" not in response.headers or is_downgrade:
        raise PageUnreadable("it redirects to an address that cannot be used")
    try:
        return usable(target)
    except PageUnreadable:
        raise PageUnreadable("it redirects to an address that cannot be used") from None


def refused(response: httpx.Response) -> PageUnreadable:
    """The site has answered, but not with its page."""
    status = response.status_code
    again_after_s = after_status(status, response.headers.get("retry-after", ""))
    error = PageUnreadable(f"it answered with status {status}", again_after_s=again_after_s)
    error.code = status
    return error


def too_large(most: int) -> PageUnreadable:
    """The page is over its limit of bytes."""
    return PageUnreadable(f"it is larger than {most} bytes")


def problem_of(error: Exception) -> str:
    """What went wrong, in our words."""
    known = (words for kind, words in PROBLEMS if isinstance(error, kind))
    return next(known, "the connection broke off")
