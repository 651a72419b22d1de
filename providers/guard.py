"""Keeps model services that do not answer from being asked by every question."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from typing import NamedTuple, TypeVar

from protocol.errors import ModelUnavailable
from protocol.settings import Settings
from providers.loaded import Order
from providers.selection import Purpose
from upstreams import diary
from upstreams.breaker import NEVER, Breaker, BreakerPolicy, UpstreamHealth
from upstreams.retry import Retry

T = TypeVar("T")
# Of a longer prompt its length may be why nothing comes of it; clients choose how long it is.
LONG_CHARS: Mapping[Purpose, int] = {"chat": 40_000, "embedding": 100_000}
MOST_GUESTS = 1_000  # services that clients name, whose state is kept
LEFT_ALONE = "it did not answer a moment ago, and is left alone for a while"
SILENT = "no answer in time"


class Call:
    """A call under way; what is known of its service once that has answered stays so.

    Where ``is_long``, its failure says nothing: it may well be the question's own.
    """

    def __init__(self, breaker: Breaker, *, is_long: bool) -> None:
        self.breaker = breaker
        self.has_answered = False
        self._is_long = is_long
        self._answers_before = breaker.answers

    def answered(self) -> None:
        """The service is well."""
        self.has_answered = True
        self.breaker.succeeded()

    def failed(self, error: ModelUnavailable) -> None:
        """It is not, or it does not like the request."""
        if self.has_answered:
            return
        if not error.is_down:
            self.breaker.succeeded()
        elif self._is_long:
            self.breaker.left()
        else:
            self.breaker.failed(error.problem)

    def left(self, *, is_silent: bool) -> None:
        """Nobody waits any more, or nobody could.

        A service that has answered others meanwhile is silent for this question alone.
        """
        if self.has_answered:
            return
        answers_others = self.breaker.answers > self._answers_before
        if is_silent and not self._is_long and not answers_others:
            self.breaker.failed(SILENT, timed_out=True)
        else:
            self.breaker.left()


class Key(NamedTuple):
    """Whose breaker it is; of a service that a client names, also who asks it with which key."""

    provider: str
    address: str
    purpose: Purpose
    asker: str = ""
    api_key: str = ""


class Guards:
    """A breaker for each service of the settings and each purpose.

    A service that clients name has one for each asker and key, as nobody may shut it off for
    another; people at one address with one key count as one. Of those not asked for longest the
    state is forgotten. Where nobody knows who asks, it has none.
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
        self._breakers: dict[Key, Breaker] = {}
        self._guests: dict[Key, Breaker] = {}  # those asked last at the end

    def health(self) -> list[UpstreamHealth]:
        """How the services of the settings are, as far as anybody has asked them."""
        return [breaker.health() for breaker in self._breakers.values()]

    async def pieces(
        self, order: Order, make: Callable[[], AsyncGenerator[str, None]], *, chars: int = 0
    ) -> AsyncGenerator[str, None]:
        """The pieces of an answer, made anew where a failure before the first one may pass.

        The first shows that the service is well. ``chars`` is how long the prompt is.
        """
        within_s = self._patience_s["chat"]
        async with self.watch(order, "chat", chars) as call:
            made = self._retry.pieces(call.breaker.name, make, within_s=within_s)
            async with aclosing(made):
                async for piece in made:
                    if not call.has_answered:
                        call.answered()
                    yield piece

    async def whole(
        self, order: Order, purpose: Purpose, ask: Callable[[], Awaitable[T]], *, chars: int = 0
    ) -> T:
        """What comes in one piece, asked for again where a failure may pass."""
        async with self.watch(order, purpose, chars) as call:
            within_s = self._patience_s[purpose]
            return await self._retry(call.breaker.name, ask, within_s=within_s)

    @asynccontextmanager
    async def watch(self, order: Order, purpose: Purpose, chars: int = 0) -> AsyncIterator[Call]:
        """A call to a service; raises ModelUnavailable at once where it is left alone.

        Who leaves early has learnt nothing, who leaves when its time is up has: that the service
        does not answer.
        """
        call = Call(self._breaker(order, purpose), is_long=chars > LONG_CHARS[purpose])
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
        endpoint = order.endpoint
        key = Key(order.provider, endpoint.base_url if endpoint else "", purpose)
        if endpoint is not None and endpoint.is_clients:
            return self._guest(key._replace(api_key=endpoint.api_key))
        if key not in self._breakers:
            self._breakers[key] = self._made(key, self._policy)
        return self._breakers[key]

    def _guest(self, key: Key) -> Breaker:
        work = diary.current()
        if work is None or not work.asker:
            return self._made(key, NEVER)
        key = key._replace(asker=work.asker)
        breaker = self._guests.pop(key, None) or self._made(key, self._policy)
        self._guests[key] = breaker
        if len(self._guests) > MOST_GUESTS:
            del self._guests[next(iter(self._guests))]
        return breaker

    def _made(self, key: Key, policy: BreakerPolicy) -> Breaker:
        return Breaker(f"{key.provider} {key.purpose}", policy, self._clock)
