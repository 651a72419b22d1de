"""Whether anything that a user, a page or a model names leads to where it must not.

``python -m bench.ssrf`` makes a network of its own, in which metadata services, private networks
and the open internet are canaries and pages of this process, and fetches hostile links through what
the program fetches with: for pages, and for services that clients name. A row tells how many
connections came to canaries (bound of the project: none), and how many with the guard off, which
shows that the links would have led there. The exit code is 1 when a canary was hit, when the links
are harmless without the guard, when fewer than 30 open links were fetched, and where no such
network can be made.
"""

import argparse
import asyncio
import logging
import subprocess
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

import httpx
import structlog

from bench.measure import print_table
from bench.namespace import ENVIRONMENT, command_inside
from protocol.errors import PageUnreadable
from protocol.settings import Cache, General, Settings
from providers.http import open_guarded
from retrieval.caches import Caches
from retrieval.pages.service import PageService
from tests.e2e import hostile_links as links
from tests.retrieval.fakes import ReadHere, in_thread
from tests.standins.canaries import OTHERS, Canaries
from upstreams.addresses import guest_policy, page_policy
from upstreams.network import CheckedTransport

UNAVAILABLE = "NOTHING WAS CHECKED: this system makes no network namespace"
LEAST_FETCHED = 30
DEADLINE_S = 0.5  # of a fetch without guard
CONNECTIONS = 8
HEADS = ("links", "cases", "fetches", "canary hits", "cases hit, no guard", "hits, no guard")
UNUSABLE = (httpx.HTTPError, httpx.InvalidURL, UnicodeError, ValueError, OSError)

Fetch = Callable[[str], Awaitable[bool]]


@dataclass(frozen=True)
class Kind:
    """Links of one kind; at least so many of the cases must lead to a canary without a guard."""

    name: str
    groups: links.Groups
    least: int = 0
    door: str = "page"


@dataclass(frozen=True)
class Seen:
    """What the links of one kind came to: connections to canaries, cases with any, pages."""

    hits: int
    cases: int
    fetched: int


def kinds() -> list[Kind]:
    """All that is tried."""
    addresses = links.addresses()
    inner = links.addresses(links.METADATA)
    return [
        Kind("addresses", addresses, len(addresses)),
        Kind("redirect chains", links.redirects(), 30),
        Kind("rebinding resolvers", links.rebinding(), 20),
        Kind("parser tricks", links.tricks(), 20),
        Kind("schemes", links.schemes()),
        Kind("ports", links.ports(), len(OTHERS)),
        Kind("base URLs, server for many", addresses, len(addresses), "guest"),
        Kind("base URLs, own machine", inner, len(inner), "owner"),
        Kind("controls", links.controls()),
    ]


class Doors:
    """The ways to the network that the program has, with names of our own."""

    def __init__(self, names: links.Names) -> None:
        settings = Settings()
        transport = CheckedTransport(
            page_policy(settings).admits, in_thread, connections=CONNECTIONS, resolve=names
        )
        cache = Caches(Cache()).pages
        self._pages = PageService.build(
            settings, ReadHere().read_page, in_thread, any_address, cache, transport=transport
        )
        for_many = Settings(general=General(host="0.0.0.0"))  # noqa: S104 - what is refused there
        self._guest = open_guarded(guest_policy(for_many), in_thread)
        self._owner = open_guarded(guest_policy(settings), in_thread)

    async def page(self, link: str) -> bool:
        """Whether there is a page."""
        with suppress(PageUnreadable):
            return bool((await self._pages.reader.read(link)).pieces)
        return False

    async def guest(self, link: str) -> bool:
        """Whether a service that anybody names answers."""
        return await fetched(self._guest, link)

    async def owner(self, link: str) -> bool:
        """Whether a service that the user of this machine names answers."""
        return await fetched(self._owner, link)

    async def close(self) -> None:
        """Close all connections."""
        await self._pages.close()
        await self._guest.aclose()
        await self._owner.aclose()


def any_address(_host: str, _address: str, _port: int) -> bool:
    """No guard."""
    return True


def unguarded(names: links.Names) -> httpx.AsyncClient:
    """What follows every link."""
    transport = CheckedTransport(any_address, in_thread, connections=CONNECTIONS, resolve=names)
    return httpx.AsyncClient(transport=transport, follow_redirects=True, timeout=DEADLINE_S)


async def fetched(client: httpx.AsyncClient, link: str) -> bool:
    """Whether the link leads to an answer."""
    with suppress(*UNUSABLE):
        return (await client.get(link)).is_success
    return False


async def look(canaries: Canaries, groups: links.Groups, fetch: Fetch) -> Seen:
    """Fetch all links, one after the other."""
    hits = cases = pages = 0
    for group in groups.values():
        canaries.hits.clear()
        pages += sum([await fetch(link) for link in group])
        await asyncio.sleep(0)
        hits += len(canaries.hits)
        cases += bool(canaries.hits)
    before = len(canaries.hits)
    await canaries.settled()
    return Seen(hits + len(canaries.hits) - before, cases, pages)


async def check() -> bool:
    """Try everything, print, judge."""
    rows, is_good = [], True
    doors, client = Doors(links.Names()), unguarded(links.Names())
    async with Canaries() as canaries:
        for kind in kinds():
            guarded = await look(canaries, kind.groups, getattr(doors, kind.door))
            bare = await look(canaries, kind.groups, lambda link: fetched(client, link))
            tried = sum(map(len, kind.groups.values()))
            cases = len(kind.groups)
            rows.append((kind.name, cases, tried, guarded.hits, bare.cases, bare.hits))
            is_good &= not guarded.hits and bare.cases >= kind.least
        await doors.close()
        await client.aclose()
    print_table(HEADS, rows)
    print(f"\n{guarded.fetched} of {tried} open links fetched")
    return is_good and guarded.fetched >= LEAST_FETCHED


def main() -> None:
    """Check, in a network that is made for it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--inside", action="store_true", help="the network has been made")
    if parser.parse_args().inside:
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
        sys.exit(not asyncio.run(check()))
    command = command_inside([sys.executable, "-m", "bench.ssrf", "--inside"])
    if command is None:
        sys.exit(UNAVAILABLE)
    sys.exit(subprocess.run(command, env=ENVIRONMENT, check=False).returncode)  # noqa: S603


if __name__ == "__main__":
    main()
