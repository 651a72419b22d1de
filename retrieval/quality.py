"""What the optimisation mode ``quality`` adds to a search: several queries, and sources of many."""

import re
from collections.abc import Sequence
from urllib.parse import urldefrag, urlsplit

from protocol.messages import SearchFinished
from protocol.settings import Quality
from protocol.values import Node
from retrieval.rephrased import short_query, without_thoughts

MOST_LINES = 10
LINE_CHARS = 200
EARLY = 60  # of reciprocal rank fusion: the larger, the less the first places count
BYTES_OF_TOKEN = 4
QUERY = re.compile(r"<query>(.*?)(?:</query>|(?=<query>)|\Z)", re.DOTALL | re.IGNORECASE)
ITEM = re.compile(r"^\s*(?:[-*\u2022]|\d+[.)])\s+(\S.*)$")


def parse_divided(reply: str, query: str, most: int) -> tuple[str, ...]:
    """The queries in a model's reply, at most ``most``; the query itself where there are none.

    They stand in tags; a short list without tags is taken, too.
    """
    said = without_thoughts(reply)
    tagged = QUERY.findall(said)
    lines = said.strip().splitlines()
    listed = [match[1] for line in lines[:MOST_LINES] if (match := ITEM.match(line))]
    found = [short_query(text.strip(" \t\r\n\"'`*")) for text in tagged or listed]
    usable = {text.casefold(): text for text in reversed(found) if 0 < len(text) <= LINE_CHARS}
    return tuple(reversed(usable.values()))[:most] or (query,)


def fused(found: Sequence[SearchFinished]) -> SearchFinished:
    """Several searches as one: what is high up in many of them leads (reciprocal rank fusion).

    A search that had to fall back on something lesser counts only where no other found anything.
    """
    filled = [result for result in found if result.nodes]
    best = [result for result in filled if not result.note] or filled or list(found)
    scores: dict[tuple[str, str], float] = {}
    nodes: dict[tuple[str, str], Node] = {}
    for result in best:
        for rank, node in enumerate(result.nodes):
            key = (node.url, "" if urlsplit(node.url).scheme else node.text)
            scores[key] = scores.get(key, 0.0) + 1 / (EARLY + rank)
            nodes.setdefault(key, node)
    ordered = sorted(nodes, key=lambda key: -scores[key])
    return SearchFinished(tuple(nodes[key] for key in ordered), best[0].backend, best[0].note)


def selected(nodes: Sequence[Node], limits: Quality, *, most: int) -> tuple[Node, ...]:
    """The first nodes that keep within passages a site and tokens in all; at least the very first.

    One that is too long is passed over for shorter ones that follow.
    """
    kept: list[Node] = []
    of_site: dict[str, int] = {}
    room = limits.tokens
    for node in nodes:
        place, size = site(node), tokens(node)
        fits = size <= room or not kept
        if len(kept) < most and fits and of_site.get(place, 0) < limits.domain_passages:
            kept.append(node)
            of_site[place] = of_site.get(place, 0) + 1
            room -= size
    return tuple(kept)


def site(node: Node) -> str:
    """The host of a page of the web, the document of any other source."""
    host = urlsplit(node.url).hostname if "://" in node.url else None
    return host.removeprefix("www.") if host else urldefrag(node.url).url


def tokens(node: Node) -> int:
    """About how many tokens a model takes the source for, whatever its language."""
    told = f"{node.title}\n{node.url}\n{node.text}"
    return 1 + len(told.encode()) // BYTES_OF_TOKEN
