"""The table of search backends, and how the settings make a chain of them."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import httpx

from protocol.errors import SettingsError
from protocol.offload import Offload
from protocol.settings import Settings
from retrieval.backend import SearchBackend
from retrieval.caches import Caches
from retrieval.chain import Retrieve, SearchChain
from retrieval.gallery import Gallery
from retrieval.keyless import KeylessBackend
from retrieval.library.backend import LibraryBackend, Shelf
from retrieval.library.folder import Folder
from retrieval.library.index import Index
from retrieval.library.reader import DocumentReader
from retrieval.race import Hedges
from retrieval.remembered_backend import RememberedBackend
from retrieval.searxng import SearxngBackend
from upstreams.breaker import BreakerPolicy
from upstreams.retry import Retry


class Parts(NamedTuple):
    """What backends are made of."""

    settings: Settings
    client: httpx.AsyncClient
    offload: Offload
    reader: DocumentReader
    caches: Caches
    table: "Mapping[str, Row]"
    retry: Retry


class Row(NamedTuple):
    """One backend of the table: how it is made (``None`` when it is not set up), what it is."""

    make: Callable[[Parts], SearchBackend | None]
    describe: Callable[[Settings], str]


def make_searxng(parts: Parts) -> SearxngBackend | None:
    """SearXNG, where its address is set."""
    base = parts.settings.api_endpoints.searxng
    timeout_s = parts.settings.limits.search_s
    if not base:
        return None
    return SearxngBackend(
        base, parts.client, timeout_s=timeout_s, cache=parts.caches.results, retry=parts.retry
    )


def make_library(parts: Parts) -> SearchBackend | None:
    """The user's own documents, where a folder is set."""
    general = parts.settings.general
    if not general.library:
        return None
    place = Path(general.library).expanduser()
    if not place.is_dir():
        raise SettingsError("[GENERAL] LIBRARY", general.library, "there is no such folder")
    folder = Folder(place, endings=parts.reader.endings)
    index = Index(folder.root, Path(general.data_dir) / "library.sqlite")
    shelf = Shelf(folder, index, parts.reader)
    return LibraryBackend("library", shelf, parts.offload, clock=parts.retry.clock)


def make_keyless(parts: Parts) -> SearchBackend | None:
    """Keyless web search; always there."""
    return RememberedBackend(KeylessBackend(parts.offload), parts.caches.nodes)


def make_built_in(parts: Parts) -> LibraryBackend:
    """The program's own documents, from the package or from the checkout."""
    here = Path(__file__).parent
    is_checkout = (here.parent / "pyproject.toml").is_file()
    folder = (
        Folder(here.parent, endings=parts.reader.endings, only=("docs", "README.md"))
        if is_checkout
        else Folder(here / "documents", endings=parts.reader.endings)
    )
    shelf = Shelf(folder, Index(folder.root), parts.reader)
    return LibraryBackend("documents", shelf, parts.offload, clock=parts.retry.clock)


BACKENDS: Mapping[str, Row] = {
    "searxng": Row(
        make_searxng,
        lambda settings: f"SearXNG at {urlsplit(settings.api_endpoints.searxng).hostname}",
    ),
    "library": Row(make_library, lambda settings: f"the documents in {settings.general.library}"),
    "keyless": Row(make_keyless, lambda settings: "keyless web search"),  # noqa: ARG005 - one shape for all rows
}


def are_same_searches(one: Settings, other: Settings) -> bool:
    """Whether both settings make the same chain, as far as they can change at run time."""
    return (one.search, one.api_endpoints.searxng) == (other.search, other.api_endpoints.searxng)


def build_chain(parts: Parts, retrieve: Retrieve) -> SearchChain:
    """The backends that are set up, in the order of the settings, with the documents last."""
    settings = parts.settings
    rows = [_row(name, parts.table) for name in dict.fromkeys(settings.search.backends)]
    made = [(row, backend) for row in rows if (backend := row.make(parts)) is not None]
    return SearchChain(
        [backend for _, backend in made],
        make_built_in(parts),
        retrieve,
        language=settings.search.language,
        within_s=settings.limits.search_s,
        policy=BreakerPolicy.of(settings.resilience),
        hedges=Hedges(parts.retry, is_on=settings.resilience.hedge),
        description=", then ".join(
            [*(row.describe(settings) for row, _ in made), "its own documents"]
        ),
    )


def _row(name: str, table: Mapping[str, Row]) -> Row:
    try:
        return table[name.lower()]
    except KeyError:
        known = f"each item must be one of {', '.join(table)}"
        raise SettingsError("[SEARCH] BACKENDS", name, known) from None


def build_gallery(parts: Parts) -> Gallery:
    """Media and news through SearXNG, where its address is set."""
    settings = parts.settings
    within_s = settings.limits.search_s
    return Gallery(make_searxng(parts), settings.discover, parts.caches.news, within_s=within_s)
