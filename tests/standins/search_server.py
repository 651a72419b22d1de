"""A search service that speaks as SearXNG does, and finds the same each time.

Twenty results a query, or what ``[[fake search results=5]]`` in it says. Among them, as in real
life: every seventh has no ``url``, every fifth no content, every ninth a picture. Engines for media
and news give what such engines do; every eighth of their pictures is no whole address. With
``[[fake search port=8003]]`` the pages are on loopback: the first four at that port's site.
By hand: ``python -m tests.standins.search_server --port 8002``.
"""

import re
from collections.abc import Callable
from typing import Any

from tests.standins.faults import option, without_directives
from tests.standins.http_server import Request, StandIn
from tests.standins.reply import Reply
from tests.standins.words import dice, filler

ENGINES = ("google", "bing", "duckduckgo")
RESULTS = 20


def picture(place: int) -> str:
    """The address of a picture."""
    return f"//pictures.example/{place}.png" if place % 8 == 0 else f"https://i.example/{place}.png"


SHAPES: dict[str, Callable[[int], dict[str, Any]]] = {
    "bing images": lambda place: {"img_src": picture(place), "category": "images"},
    "google images": lambda place: {"img_src": picture(place), "category": "images"},
    "youtube": lambda place: {
        "thumbnail": picture(place),
        "iframe_src": f"https://www.youtube-nocookie.com/embed/v{place}",
        "category": "videos",
    },
    "bing news": lambda place: {"thumbnail": picture(place), "category": "news"},
}


def plain(place: int) -> dict[str, Any]:
    """What a result for text has beside it."""
    return {"img_src": f"https://pictures.example/{place}.png"} if place % 9 == 0 else {}


def result(query: str, place: int, engine: str, port: int = 0) -> dict[str, Any]:
    """The result at that place, counted from one."""
    slug = re.sub(r"\W+", "-", query.lower()).strip("-")[:60]
    text = f"{query} {filler(f'{query} {place}', dice(query, place).randint(4, 40))}."
    return {
        "url": None if place % 7 == 0 else address(place, slug, port),
        "title": f"{query} ({engine} {place})",
        "content": "" if place % 5 == 0 else text,
        "engine": engine,
        "engines": [engine],
        "category": "general",
        "score": round(1 / place, 3),
        "publishedDate": None,
        **SHAPES.get(engine, plain)(place),
    }


def address(place: int, slug: str, port: int) -> str:
    """Where a result is said to be; with a port on loopback, from place 5 on where nobody is."""
    if not port:
        return f"https://site{place}.example/{slug}"
    return f"http://127.0.0.{1 if place < 5 else place}:{port}/found/{place}"


def results(query: str, engines: tuple[str, ...]) -> list[dict[str, Any]]:
    """All results of a query, best first, from the engines in turn."""
    count = option(query, "search", "results", RESULTS)
    port = option(query, "search", "port", 0)
    bare = without_directives(query)
    return [
        result(bare, place, engines[(place - 1) % len(engines)], port)
        for place in range(1, count + 1)
    ]


class SearchServer(StandIn):
    """Kinds: ``search``, ``unknown``.

    Attributes:
        json_format: Whether JSON is among the formats that the service is set up to give.
        suspended: Whether its engines have refused it, so that it leaves all of them alone.

    """

    def __init__(self, *, json_format: bool = True, suspended: bool = False) -> None:
        super().__init__()
        self.json_format = json_format
        self.suspended = suspended

    def kind(self, request: Request) -> str:
        """``search`` on its one path."""
        return "search" if request.path == "/search" else "unknown"

    def text(self, request: Request) -> str:
        """The query."""
        return request.params.get("q", "")

    def reply(self, request: Request) -> Reply:
        """Results as JSON; HTML when JSON is not asked for; 400, 403, 404 as SearXNG has them."""
        params = request.params
        if request.path != "/search":
            return Reply.of(b"<h1>Not Found</h1>", "text/html", 404)
        if not params.get("q"):
            return Reply.of(b"<h1>Bad Request</h1>", "text/html", 400)
        if params.get("format", "html") != "json":
            return Reply.of(b"<html>results for people</html>", "text/html")
        if not self.json_format:
            return Reply.of(b"<h1>Forbidden</h1>", "text/html", 403)
        return self._found(params["q"], params.get("engines", ""))

    def _found(self, query: str, engines: str) -> Reply:
        named = tuple(filter(None, engines.split(","))) or ENGINES
        found = {
            "query": query,
            "number_of_results": 0,
            "results": [] if self.suspended else results(query, named),
            "answers": [],
            "corrections": [],
            "infoboxes": [],
            "suggestions": [],
            "unresponsive_engines": self._unresponsive(named),
        }
        return Reply.json(found)

    def _unresponsive(self, named: tuple[str, ...]) -> list[list[str]]:
        """The engines that gave nothing, with the reason, as SearXNG words it."""
        if self.suspended:
            return [[engine, "Suspended: too many requests"] for engine in named]
        return [["slow engine", "timeout"]]


if __name__ == "__main__":
    from tests.standins.by_hand import main

    main(SearchServer())
