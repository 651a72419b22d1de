"""Search through a SearXNG server."""

import functools
import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec

from protocol.errors import SearchUnavailable, SettingsError
from protocol.values import Node
from retrieval.backend import found_node

MOST_BYTES = 4 * 1024 * 1024
MOST_RESULTS = 60
LOGIN = re.compile(r"[^/]*@")
REFUSALS = {
    403: "it refuses JSON (its setting search.formats must list json)",
    429: "it asks for fewer requests",
}


class SearxngBackend:
    """Asks one SearXNG server; the client and its pool belong to whoever made them."""

    name = "searxng"

    def __init__(self, base: str, client: httpx.AsyncClient, *, timeout_s: float) -> None:
        self._address = f"{checked_base(base)}/search"
        self._client = client
        self._timeout_s = timeout_s

    async def search(self, query: str, *, engines: Sequence[str], language: str) -> list[Node]:
        """Results in the server's order, those without text included."""
        params = {"format": "json", "q": query, "language": language}
        if engines:
            params["engines"] = ",".join(engines)
        return read_results(await self._get(params))

    async def _get(self, params: dict[str, str]) -> bytes:
        request = functools.partial(
            self._client.stream,
            "GET",
            self._address,
            params=params,
            # Compressed, a small body could unfold into any amount of memory.
            headers={"Accept": "application/json", "Accept-Encoding": "identity"},
            timeout=self._timeout_s,
            follow_redirects=True,
        )
        try:
            async with request() as response:
                check_head(response)
                return await read_body(response)
        except httpx.TimeoutException as error:
            raise SearchUnavailable(self.name, "no answer in time") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise SearchUnavailable(self.name, "it cannot be reached") from error


def checked_base(base: str) -> str:
    """The address without a slash at its end; raises SettingsError when it is none."""
    try:
        parts = urlsplit(base)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname)
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
        raise SearchUnavailable("searxng", problem)
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


def read_results(body: bytes) -> list[Node]:
    """The usable results of a reply, in order; raises SearchUnavailable when it is none."""
    try:
        page = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SearchUnavailable("searxng", "its answer is not JSON") from error
    results = page.get("results") if isinstance(page, dict) else None
    if not isinstance(results, list):
        raise SearchUnavailable("searxng", "its answer has no results in it")
    nodes = [read_result(result) for result in results[:MOST_RESULTS]]
    return [node for node in nodes if node is not None]


def read_result(result: Any) -> Node | None:
    """One result as a node; ``None`` when it is not usable."""
    if not isinstance(result, dict):
        return None
    return found_node(
        result.get("title"), result.get("url"), result.get("content"), result.get("img_src")
    )
