"""What is on offer at the moment: the table of providers, under the settings, with live lists."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import structlog

from protocol.base import Value
from protocol.errors import ModelUnavailable
from protocol.settings import Settings
from providers.catalogue import Row
from providers.endpoint import Endpoint
from providers.listing import Offer
from providers.live_list import LiveList
from providers.loaded import Loaded, Offload, Order
from providers.selection import Purpose, Shelf

log = structlog.get_logger(__name__)


class ModelLists(Value, frozen=True):
    """What clients may choose from: provider, model, display name; all in the order to show."""

    chat: dict[str, dict[str, str]]
    embedding: dict[str, dict[str, str]]


class Stock:
    """The providers that are set up, and what each of them offers."""

    def __init__(
        self,
        settings: Settings,
        rows: Sequence[Row],
        *,
        loaded: Loaded,
        offload: Offload,
        clock: Callable[[], float],
    ) -> None:
        self._limit_s = settings.limits.model_list_s
        self._loaded = loaded
        self._offload = offload
        self._endpoints = {row.name: _located(row, settings) for row in rows}
        self._rows = {row.name: row for row in rows if self._is_set_up(row)}
        self._lists = {
            row.name: LiveList(
                row.name, partial(self._fetch, row), fresh_s=row.listing.fresh_s, clock=clock
            )
            for row in self._rows.values()
            if row.listing
        }

    def _is_set_up(self, row: Row) -> bool:
        return row.endpoint is None or self._endpoints[row.name] is not None

    async def lists(self) -> ModelLists:
        """All that is on offer, old lists asked for anew, all at once."""
        await asyncio.gather(*(live.current() for live in self._lists.values()))
        return ModelLists(chat=self._shown("chat"), embedding=self._shown("embedding"))

    def refresh(self) -> None:
        """Begin to ask for the lists that are old."""
        for live in self._lists.values():
            live.refresh()

    def shelves(self, purpose: Purpose) -> dict[str, Shelf]:
        """Every provider for a purpose, in the order to show, as far as it is known."""
        return {
            name: self._shelf(row, purpose)
            for name, row in self._rows.items()
            if purpose == "chat" or not row.is_clients
        }

    async def first_model(self, provider: str, purpose: Purpose) -> str:
        """The first model of a provider, waiting for its list; raises ModelUnavailable."""
        if live := self._lists.get(provider):
            await live.current()
        shelf = self.shelves(purpose).get(provider, Shelf())
        for model in shelf.shown:
            return model
        raise ModelUnavailable(provider, "it offers no model at the moment")

    def row(self, provider: str) -> Row:
        """The row of a provider that is set up; raises ModelUnavailable for any other."""
        if provider not in self._rows:
            raise ModelUnavailable(provider[:60], "it is not set up")
        return self._rows[provider]

    def endpoint(self, provider: str) -> Endpoint | None:
        """Where a provider's service listens, if it has one of its own."""
        return self._endpoints[provider]

    async def close(self) -> None:
        """Stop asking for lists."""
        await asyncio.gather(*(live.close() for live in self._lists.values()))

    def _shown(self, purpose: Purpose) -> dict[str, dict[str, str]]:
        shelves = self.shelves(purpose)
        return {
            name: dict(shelf.shown)
            for name, shelf in shelves.items()
            if shelf.shown or shelf.is_clients
        }

    def _shelf(self, row: Row, purpose: Purpose) -> Shelf:
        live = self._lists.get(row.name)
        known = live.known if live else None
        built_in = _for(purpose, row.offer)
        return Shelf(
            shown=built_in if known is None else _for(purpose, known),
            accepted=built_in,
            is_known=live is None or known is not None or bool(built_in),
            is_failing=live is not None and live.is_failing,
            is_clients=row.is_clients,
        )

    async def _fetch(self, row: Row) -> Offer:
        """What the row's service lists; raises ModelUnavailable, also when it takes too long."""
        endpoint = self._endpoints[row.name]
        assert row.listing is not None
        assert endpoint is not None
        order = Order(row.name, "", 0.0, endpoint, row.dialect)
        remote = await self._offload(lambda: self._loaded.remote(order))
        try:
            async with asyncio.timeout(self._limit_s):
                listed = await remote.listed()
        except TimeoutError as error:
            raise ModelUnavailable(row.name, f"no answer within {self._limit_s:g} s") from error
        return row.listing.arrange(endpoint, listed, row.offer)


def _located(row: Row, settings: Settings) -> Endpoint | None:
    """The endpoint that the settings give a row; none when it could not be used."""
    endpoint = row.endpoint(settings) if row.endpoint else None
    if endpoint is None:
        return None
    if not endpoint.is_usable:
        log.warning("provider.unusable", provider=row.name, problem="address or key")
        return None
    return endpoint


def _for(purpose: Purpose, offer: Offer) -> Mapping[str, str]:
    return {"chat": offer.chat, "embedding": offer.embedding}[purpose]
