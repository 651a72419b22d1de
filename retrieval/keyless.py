"""Web search without a key, through the library ddgs: it blocks, so it runs in a thread."""

import asyncio
import functools
import logging
from collections.abc import Callable, Sequence
from typing import Any

from protocol.errors import SearchUnavailable
from protocol.offload import Offload
from protocol.values import Node
from retrieval.backend import found_node
from upstreams.places import Places

MOST_RESULTS = 20
REQUEST_S = 2
LETTERS = 2  # of a language
Fetch = Callable[[str, str], list[dict[str, Any]]]


class KeylessBackend:
    """A few searches at a time; a thread that hangs keeps its place until it returns."""

    name = "keyless"

    def __init__(
        self,
        offload: Offload,
        fetch: Fetch | None = None,
        *,
        timeout_s: float = 2.4,
        at_once: int = 3,
    ) -> None:
        self._places = Places(offload, at_once)
        self._fetch = fetch or fetch_results
        self._timeout_s = timeout_s

    async def search(self, query: str, *, engines: Sequence[str], language: str) -> list[Node]:
        """Results of several engines, merged by the library; ``engines`` are SearXNG's: unused."""
        del engines
        try:
            async with asyncio.timeout(self._timeout_s):
                results = await self._places(functools.partial(self._fetch, query, language))
        except TimeoutError as error:
            raise SearchUnavailable(self.name, "no answer in time") from error
        nodes = [found_node(r.get("title"), r.get("href"), r.get("body")) for r in results]
        return [node for node in nodes if node is not None]


def fetch_results(query: str, language: str) -> list[dict[str, Any]]:
    """What the library finds; blocks for seconds. Raises SearchUnavailable."""
    from ddgs import DDGS, exceptions  # noqa: PLC0415 - loaded when first used
    from primp import PrimpError  # noqa: PLC0415 - as above; what ddgs asks through

    # It logs each question at info, with the addresses that it asks.
    logging.getLogger("ddgs").setLevel(logging.ERROR)
    problems = {
        exceptions.TimeoutException: "no answer in time",
        exceptions.RatelimitException: "it asks for fewer requests",
    }
    try:
        search = DDGS(timeout=REQUEST_S)
        return search.text(query, region=region(language), max_results=MOST_RESULTS)
    except exceptions.DDGSException as error:
        if "No results found" in str(error):
            return []
        problem = problems.get(type(error), "it cannot be reached")
        raise SearchUnavailable("keyless", problem) from error
    except (PrimpError, OSError, RuntimeError, ValueError) as error:
        raise SearchUnavailable("keyless", "it cannot be used") from error


def region(language: str) -> str:
    """Country and language as the library wants them; the country is a guess from the language."""
    short = language.lower().partition("-")[0]
    if len(short) != LETTERS or short == "en":
        return "us-en"
    return f"{short}-{short}"
