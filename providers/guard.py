"""Keeps model services that do not answer from being asked by every question."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from typing import NamedTuple, TypeVar

from protocol.errors import ModelUnavailable
from protocol.settings import Settings
from providers.loaded import Order
from providers.selection import Purpose
from upstreams.breaker import Breaker, BreakerPolicy, UpstreamHealth
from upstreams.retry import Retry

T = TypeVar("T")
MOST = 200  # services that are remembered; clients may bring their own
LEFT_ALONE = "it did not answer a moment ago, and is left alone for a while"
SILENT = "no answer in time"


class Call:
    """A call under way; what is known of its service once that has answered stays so."""

    def __init__(self, breaker: Breaker) -> None:
        self.breaker = breaker
        self.has_answered = False

    def answered(self) -> None:
        """The service is well."""
        self.has_answered = True
        self.breaker.succeeded()

    def failed(self, error: ModelUnavailable) -> None:
        """It is not, or it does not like the request."""
        if self.has_answered:
            return
        if error.is_down:
            self.breaker.failed(error.problem)
        else:
            self.breaker.succeeded()

    def left(self, *, is_silent: bool) -> None:
        """Nobody waits any more, or nobody could."""
        if self.has_answered:
            return
        if is_silent:
            self.breaker.failed(SILENT, timed_out=True)
        else:
            self.breaker.left()


class Key(NamedTuple):
    """Whose breaker it is; ``guest`` is the key that a client brought for a service of its own."""

    provider: str
    address: str
    purpose: Purpose
    guest: str | None


class Guards:
    """A breaker for each service and purpose.

    Of those that clients name, the one that was not used for longest goes first.
    """

    def __init__(self, settings: Settings, clock: Callable[[], float], retry: Retry) -> None:
        limits = settings.limits
        self._policy = BreakerPolicy.of(settings.resilience)
        self._retry = retry
        self._patience_s: dict[Purpose, float] = {
            "chat": limits.first_token_s * 0.9,
            "embedding": limits.rerank_s * 0.7,  # a ranking waits for vectors a little longer
        }
        self._clock = clock
        self._breakers: OrderedDict[Key, Breaker] = OrderedDict()

    def health(self) -> list[UpstreamHealth]:
        """How the services are, as far as anybody has asked them."""
        return [breaker.health() for breaker in self._breakers.values()]

    async def pieces(
        self, order: Order, make: Callable[[], AsyncGenerator[str, None]]
    ) -> AsyncGenerator[str, None]:
        """The pieces of an answer, made anew where a failure before the first one may pass.

        The first shows that the service is well.
        """
        within_s = self._patience_s["chat"]
        async with self.watch(order, "chat") as call:
            made = self._retry.pieces(call.breaker.name, make, within_s=within_s)
            async with aclosing(made):
                async for piece in made:
                    if not call.has_answered:
                        call.answered()
                    yield piece

    async def whole(self, order: Order, purpose: Purpose, ask: Callable[[], Awaitable[T]]) -> T:
        """What comes in one piece, asked for again where a failure may pass."""
        async with self.watch(order, purpose) as call:
            within_s = self._patience_s[purpose]
            return await self._retry(call.breaker.name, ask, within_s=within_s)

    @asynccontextmanager
    async def watch(self, order: Order, purpose: Purpose) -> AsyncIterator[Call]:
        """A call to a service; raises ModelUnavailable at once where it is left alone.

        Who leaves early has learnt nothing, who leaves when its time is up has: that the service
        does not answer.
        """
        call = Call(self._breaker(order, purpose))
        if not call.breaker.admits():
            raise ModelUnavailable(order.provider, LEFT_ALONE)
        began = self._clock()
        try:
            yield call
        except ModelUnavailable as error:
            call.failed(error)
            raise
        except (asyncio.CancelledError, GeneratorExit):
            call.left(is_silent=self._clock() - began >= self._patience_s[purpose])
            raise
        call.answered()

    def _breaker(self, order: Order, purpose: Purpose) -> Breaker:
        key = _key(order, purpose)
        if key not in self._breakers:
            self._breakers[key] = Breaker(f"{order.provider} {purpose}", self._policy, self._clock)
            self._forget_guests()
        self._breakers.move_to_end(key)
        return self._breakers[key]

    def _forget_guests(self) -> None:
        """Those of the settings are few, and stay."""
        guests = [key for key in self._breakers if key.guest is not None]
        for key in guests[:-MOST]:
            del self._breakers[key]


def _key(order: Order, purpose: Purpose) -> Key:
    """A service that a client names is that client's: no failure of it is another's."""
    endpoint = order.endpoint
    guest = endpoint.api_key if endpoint and endpoint.is_clients else None
    return Key(order.provider, endpoint.base_url if endpoint else "", purpose, guest)
