"""A provider's list of models, asked for when it is old, by one call at a time."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from protocol.errors import ModelUnavailable
from providers.listing import Offer

log = structlog.get_logger(__name__)

RETRY_S = 10.0  # a list that failed is asked for again after this
KEEP_S = 300.0  # for so long the last list stands in for one that fails


class LiveList:
    """What a provider offers at the moment, as far as it is known.

    ``fetch`` must end in time by itself, and raises ModelUnavailable. A service that is down is
    asked once in ``RETRY_S``, and logged when it begins to fail and when it answers again.
    """

    def __init__(
        self,
        provider: str,
        fetch: Callable[[], Awaitable[Offer]],
        *,
        fresh_s: float,
        clock: Callable[[], float],
    ) -> None:
        self._provider = provider
        self._fetch = fetch
        self._fresh_s = fresh_s
        self._clock = clock
        self._offer: Offer | None = None
        self._fetched_at = 0.0
        self._ask_again_at: float | None = None
        self._asking: asyncio.Task[None] | None = None
        self.problem = ""  # what the last call came to, in words for the reader; empty when well

    @property
    def is_failing(self) -> bool:
        """Whether the last call failed."""
        return bool(self.problem)

    @property
    def known(self) -> Offer | None:
        """The last list, unless it is too old to stand for one that fails; never waits."""
        if self.is_failing and self._clock() - self._fetched_at > KEEP_S:
            return None
        return self._offer

    async def current(self) -> Offer | None:
        """The list, asked for anew when it is old; waits for the call; never raises."""
        asking = self.refresh()
        if asking is not None:
            await asyncio.wait([asking])
        return self.known

    def refresh(self) -> asyncio.Task[None] | None:
        """Begin to ask when the list is old; the call under way, if any."""
        if self._asking is None and self._is_old():
            self._asking = asyncio.create_task(self._ask(), name=f"models of {self._provider}")
            self._asking.add_done_callback(self._asked)
        return self._asking

    async def close(self) -> None:
        """Stop asking."""
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.wait([self._asking])

    def _is_old(self) -> bool:
        return self._ask_again_at is None or self._clock() >= self._ask_again_at

    def _asked(self, _task: asyncio.Task[None]) -> None:
        self._asking = None

    async def _ask(self) -> None:
        try:
            offer = await self._fetch()
        except ModelUnavailable as error:
            self._failed(error)
        else:
            self._answered(offer)

    def _answered(self, offer: Offer) -> None:
        if self.is_failing:
            log.info("model_list.recovered", provider=self._provider)
        self.problem = ""
        self._offer = offer
        self._fetched_at = self._clock()
        self._ask_again_at = self._fetched_at + self._fresh_s

    def _failed(self, error: ModelUnavailable) -> None:
        if not self.is_failing:
            log.warning("model_list.failed", provider=self._provider, problem=str(error))
        self.problem = error.problem
        self._ask_again_at = self._clock() + RETRY_S
