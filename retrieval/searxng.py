"""Search through a SearXNG server."""

import functools
import re
import time
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
import msgspec

from protocol.errors import SearchUnavailable, SettingsError
from protocol.values import Node
from retrieval.backend import found_node
from retrieval.cache import Bounds, Cache
from upstreams.passing import after_failure
from upstreams.replies import released
from upstreams.retry import Retry, after_status, once

MOST_BYTES = 4 * 1024 * 1024
MOST_RESULTS = 60
FIELDS = ("title", "url", "content", "img_src", "thumbnail", "iframe_src")
ROW_BYTES = 800  # of a result beside its text, as Python keeps it
NOTHING_KEPT = Bounds(entries=0, size_bytes=0, keep_s=0)
Result = Mapping[str, str]
Results = tuple[Result, ...]
LOGIN = re.compile(r"[^/]*@")
REFUSALS = {
    403: "it refuses JSON (its setting search.formats must list json)",
    429: "it asks for fewer requests",
}


class SearxngBackend:
    """Asks one SearXNG server; the client and its pool belong to whoever made them."""

    name = "searxng"

    def __init__(
        self,
        base: str,
        client: httpx.AsyncClient,
        *,
        timeout_s: float,
        cache: Cache[Results] | None = None,
        retry: Retry | None = None,
    ) -> None:
        self._retry = retry or once()
        self._cache = cache or Cache(NOTHING_KEPT, clock=time.monotonic, weigh=weight)
        self._address = f"{checked_base(base)}/search"
        self._client = client
        self._timeout_s = timeout_s

    async def search(self, query: str, *, engines: Sequence[str], language: str) -> list[Node]:
        """Results in the server's order, those without text included."""
        found = await self.results(query, engines=engines, language=language)
        return read_nodes(found)

    async def results(
        self, query: str, *, engines: Sequence[str] = (), language: str = "", page: int = 0
    ) -> Results:
        """What the server found: those of ``FIELDS`` that are text; not to be changed.

        Args:
            query: What to look for.
            engines: Its engines; none means its default.
            language: Two letters; empty leaves it to the server.
            page: Counted from 1; 0 leaves it to the server.

        Raises:
            SearchUnavailable: It did not answer properly.

        """
        asked = {
            "language": language,
            "engines": ",".join(engines),
            "pageno": str(page) if page else "",
        }
        params = {name: value for name, value in asked.items() if value}
        params = {"format": "json", "q": query, **params}
        return await self._cache.get(tuple(params.items()), lambda: self._ask(params))

    async def look(self, query: str) -> tuple[int, dict[str, str]]:
        """How much it finds at the moment, and which of its engines do not answer and why.

        Nothing is remembered and nothing asked twice. Raises SearchUnavailable.
        """
        body = await self._get({"format": "json", "q": query})
        return len(read_results(body)), read_silent(body)

    async def _ask(self, params: dict[str, str]) -> Results:
        get = functools.partial(self._get, params)
        return read_results(await self._retry(self.name, get, within_s=self._timeout_s))

    async def _get(self, params: dict[str, str]) -> bytes:
        request = functools.partial(
            self._client.stream,
            "GET",
            f"{self._address}?{urlencode(params)}",
            # Compressed, a small body could unfold into any amount of memory.
            headers={"Accept": "application/json", "Accept-Encoding": "identity"},
            timeout=self._timeout_s,
            follow_redirects=True,
        )
        try:
            async with released(request()) as response:
                check_head(response)
                return await read_body(response)
        except httpx.TimeoutException as error:
            raise SearchUnavailable(self.name, "no answer in time") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            again_after_s = after_failure(error)
            raise SearchUnavailable(
                self.name, "it cannot be reached", again_after_s=again_after_s
            ) from error


def checked_base(base: str) -> str:
    """The address without a slash at its end; raises SettingsError when it is none."""
    try:
        parts = urlsplit(base)
        is_web = parts.scheme in {"http", "https"} and bool(parts.hostname)
        usable = is_web and not (parts.query or parts.fragment)
    except ValueError:
        usable = False
    if not usable:
        shown = LOGIN.sub("", base)
        raise SettingsError("api_endpoints.searxng", shown, "an http or https address is needed")
    return base.rstrip("/").removesuffix("/search")


def check_head(response: httpx.Response) -> None:
    """Raise SearchUnavailable unless a readable body follows."""
    status = response.status_code
    if status != httpx.codes.OK:
        problem = REFUSALS.get(status, f"it answered with status {status}")
        again_after_s = after_status(status, response.headers.get("retry-after", ""))
        error = SearchUnavailable("searxng", problem, again_after_s=again_after_s)
        error.code = status
        raise error
    if response.headers.get("content-encoding", "identity") != "identity":
        raise SearchUnavailable("searxng", "it answered compressed although that was not asked for")


async def read_body(response: httpx.Response) -> bytes:
    """The whole body; raises SearchUnavailable past the bound."""
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > MOST_BYTES:
            raise SearchUnavailable("searxng", "its answer is too large")
    return bytes(body)


def read_results(body: bytes) -> Results:
    """The results of a reply, in order; raises SearchUnavailable when it is none."""
    try:
        page = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SearchUnavailable("searxng", "its answer is not JSON") from error
    results = page.get("results") if isinstance(page, dict) else None
    if not isinstance(results, list):
        raise SearchUnavailable("searxng", "its answer has no results in it")
    return tuple(texts_of(result) for result in results[:MOST_RESULTS])


def read_silent(body: bytes) -> dict[str, str]:
    """The engines that a reply says gave no answer, each with the reason that it tells."""
    silent = msgspec.json.decode(body).get("unresponsive_engines")
    rows = [row for row in silent if isinstance(row, list)] if isinstance(silent, list) else []
    return {str(name)[:60]: str(why)[:60] for name, why, *_ in filter(lambda r: len(r) > 1, rows)}


def texts_of(result: Any) -> Result:
    """The fields of a result that are read somewhere, where they are text."""
    fields = result if isinstance(result, dict) else {}
    return {name: fields[name] for name in FIELDS if isinstance(fields.get(name), str)}


def weight(results: Results) -> int:
    """About how many bytes the results take."""
    return sum(ROW_BYTES + sum(map(len, result.values())) for result in results)


def read_nodes(results: Results) -> list[Node]:
    """The usable results as nodes, in order."""
    nodes = [read_result(result) for result in results]
    return [node for node in nodes if node is not None]


def read_result(result: Result) -> Node | None:
    """One result as a node; ``None`` when it is not usable."""
    return found_node(
        result.get("title"), result.get("url"), result.get("content"), result.get("img_src")
    )
