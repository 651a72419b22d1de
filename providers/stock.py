"""What is on offer at the moment: the table of providers, under the settings, with live lists."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import structlog

from protocol.base import Value
from protocol.errors import ModelUnavailable
from protocol.offload import Offload
from protocol.settings import Settings
from providers.catalogue import Row
from providers.endpoint import Endpoint
from providers.listing import NOTHING, Offer
from providers.live_list import LiveList
from providers.loaded import Loaded, Order
from providers.selection import Purpose, Shelf

log = structlog.get_logger(__name__)

UNUSABLE = "its address or key cannot be used"


class ModelLists(Value, frozen=True):
    """What clients may choose from: provider, model, display name; all in the order to show."""

    chat: dict[str, dict[str, str]]
    embedding: dict[str, dict[str, str]]


class SetUp(Value, frozen=True):
    """A row of the table under the settings."""

    row: Row
    endpoint: Endpoint | None
    offer: Offer
    live: LiveList | None = None

    @property
    def is_on_offer(self) -> bool:
        """Whether clients may choose it."""
        return self.row.endpoint is None or self.row.is_clients or self._is_reachable

    @property
    def _is_reachable(self) -> bool:
        return self.endpoint is not None and self.endpoint.is_usable

    @property
    def problem(self) -> str:
        """Why it does not work, in words for the reader; empty when nothing is known against it."""
        if self.endpoint is not None and not self.endpoint.is_usable:
            return UNUSABLE
        return self.live.problem if self.live else ""

    def shelf(self, purpose: Purpose) -> Shelf:
        """What it has for a purpose, as far as that is known."""
        known = self.live.known if self.live else None
        built_in = _for(purpose, self.offer)
        if self.row.is_clients and not self._is_reachable:
            built_in = NOTHING
        return Shelf(
            shown=built_in if known is None else _for(purpose, known),
            accepted=built_in,
            is_known=self.live is None or known is not None or bool(built_in),
            is_failing=bool(self.problem),
            is_clients=self.row.is_clients,
            is_reachable=self._is_reachable,
            is_stand_in=purpose == "chat" and self.row.chat_model is None,
        )


class Stock:
    """The providers that are set up, and what each of them offers."""

    def __init__(
        self,
        rows: Sequence[Row],
        settings: Settings,
        *,
        loaded: Loaded,
        offload: Offload,
        clock: Callable[[], float],
    ) -> None:
        self._rows = rows
        self._loaded = loaded
        self._offload = offload
        self._clock = clock
        self._all: dict[str, SetUp] = {}
        self._take(settings)

    async def configure(self, settings: Settings) -> None:
        """Put other settings in force; returns when calls for lists under the old ones are over."""
        before = self._all
        self._take(settings)
        kept = {id(set_up.live) for set_up in self._all.values()}
        gone = (s.live for s in before.values() if s.live and id(s.live) not in kept)
        await asyncio.gather(*(live.close() for live in gone))

    def _take(self, settings: Settings) -> None:
        self._limit_s = settings.limits.model_list_s
        self._all = {row.name: self._set_up(row, settings) for row in self._rows}

    def _set_up(self, row: Row, settings: Settings) -> SetUp:
        """The row under these settings, with the live list that it has unless that is another's."""
        before = self._all.get(row.name)
        endpoint = row.endpoint(settings) if row.endpoint else None
        offer = row.configured(settings) if row.configured else row.offer
        if before is not None and before.endpoint == endpoint:
            return SetUp(row, endpoint, offer, before.live)
        if endpoint is not None and not endpoint.is_usable:
            log.warning("provider.unusable", provider=row.name, problem="address or key")
            return SetUp(row, endpoint, offer)
        return SetUp(row, endpoint, offer, self._live_list(row, endpoint))

    def _live_list(self, row: Row, endpoint: Endpoint | None) -> LiveList | None:
        if row.listing is None or endpoint is None:
            return None
        fetch = partial(self._fetch, row, endpoint)
        return LiveList(row.name, fetch, fresh_s=row.listing.fresh_s, clock=self._clock)

    async def lists(self) -> ModelLists:
        """All that is on offer, old lists asked for anew, all at once."""
        await asyncio.gather(*(live.current() for live in self._live()))
        return ModelLists(chat=self._shown("chat"), embedding=self._shown("embedding"))

    def refresh(self) -> None:
        """Begin to ask for the lists that are old."""
        for live in self._live():
            live.refresh()

    def unwell(self) -> dict[str, str]:
        """The providers that are known not to work, with the reason."""
        return {name: set_up.problem for name, set_up in self._all.items() if set_up.problem}

    def shelves(self, purpose: Purpose) -> dict[str, Shelf]:
        """Every provider for a purpose, in the order to show, as far as it is known."""
        return {
            name: set_up.shelf(purpose)
            for name, set_up in self._all.items()
            if set_up.is_on_offer and (purpose == "chat" or set_up.row.embedding_model)
        }

    async def first_model(self, provider: str, purpose: Purpose) -> str:
        """The first model of a provider, waiting for its list; raises ModelUnavailable."""
        set_up = self._all[provider]
        if set_up.live:
            await set_up.live.current()
        shelf = self.shelves(purpose).get(provider, Shelf())
        for model in shelf.shown:
            return model
        raise ModelUnavailable(provider, set_up.problem or "it offers no model at the moment")

    def row(self, provider: str) -> Row:
        """The row of a provider that is set up; raises ModelUnavailable for any other."""
        set_up = self._all.get(provider)
        if set_up is None or not set_up.is_on_offer:
            raise ModelUnavailable(provider[:60], "it is not set up")
        return set_up.row

    def endpoint(self, provider: str) -> Endpoint | None:
        """Where a provider's service listens, if the settings name one."""
        return self._all[provider].endpoint

    async def close(self) -> None:
        """Stop asking for lists."""
        await asyncio.gather(*(live.close() for live in self._live()))

    def _live(self) -> list[LiveList]:
        return [set_up.live for set_up in self._all.values() if set_up.live]

    def _shown(self, purpose: Purpose) -> dict[str, dict[str, str]]:
        shelves = self.shelves(purpose)
        return {
            name: dict(shelf.shown)
            for name, shelf in shelves.items()
            if shelf.shown or shelf.is_clients
        }

    async def _fetch(self, row: Row, endpoint: Endpoint) -> Offer:
        """What the row's service lists; raises ModelUnavailable, also when it takes too long."""
        assert row.listing is not None
        order = Order(row.name, "", 0.0, endpoint, row.dialect)
        remote = await self._offload(lambda: self._loaded.remote(order))
        try:
            async with asyncio.timeout(self._limit_s):
                listed = await remote.listed()
        except TimeoutError as error:
            raise ModelUnavailable(row.name, f"no answer within {self._limit_s:g} s") from error
        return row.listing.arrange(endpoint, listed, row.offer)


def _for(purpose: Purpose, offer: Offer) -> Mapping[str, str]:
    return {"chat": offer.chat, "embedding": offer.embedding}[purpose]
