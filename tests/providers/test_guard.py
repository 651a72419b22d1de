"""A model service that is dead is left alone; one that refuses a request is not dead."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

import pytest

from protocol.errors import ModelUnavailable
from protocol.settings import Limits, Resilience, Settings
from providers.endpoint import Endpoint
from providers.guard import MOST, Guards
from providers.loaded import Order
from providers.openai_api import OpenAiDialect
from tests.clock import virtual
from upstreams.retry import once

Make = Callable[[], AsyncGenerator[str, None]]
DOWN = ModelUnavailable("openai", "status 500", is_down=True)
NOT_DOWN = ModelUnavailable("openai", "it refused the key")


def order(address: str = "http://a.example", guest: str = "") -> Order:
    """A model at an address, of the settings or (with a key) of a client."""
    endpoint = Endpoint("openai", address, guest, is_clients=bool(guest))
    return Order("openai", "m", 0, endpoint, OpenAiDialect())


class Service:
    """A service that answers as it is told, and counts who asks."""

    def __init__(self) -> None:
        self.asked = 0
        settings = Settings(limits=Limits(first_token_s=10), resilience=Resilience(failures=3))
        self.guards = Guards(settings, lambda: asyncio.get_running_loop().time(), once())

    async def _made(
        self, error: ModelUnavailable | None, after_s: float
    ) -> AsyncGenerator[str, None]:
        self.asked += 1
        await asyncio.sleep(after_s)
        if error is not None:
            raise error
        yield "a"

    async def ask(
        self, error: ModelUnavailable | None = None, after_s: float = 0, within_s: float = 10
    ) -> str:
        """What comes of a question, in a word."""
        try:
            async with (
                asyncio.timeout(within_s),
                aclosing(self.guards.pieces(order(), lambda: self._made(error, after_s))) as pieces,
            ):
                return "".join([piece async for piece in pieces])
        except TimeoutError:
            return "time-out"
        except ModelUnavailable as told:
            return told.problem

    @property
    def state(self) -> str:
        """Of its breaker."""
        return self.guards.health()[0].state


@virtual
async def test_silent_service_costs_one_time_out() -> None:
    """Then it is left alone, and found again by one question after the pause."""
    service = Service()
    assert await service.ask(after_s=100) == "time-out"
    for _ in range(3):
        assert "left alone" in await service.ask()
    assert service.asked == 1
    await asyncio.sleep(5)
    assert await service.ask() == "a"
    assert service.state == "closed"


@virtual
async def test_vectors_that_a_ranking_gave_up_on_are_a_time_out() -> None:
    """It waits for them for three quarters of its own ten seconds."""
    service = Service()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(7.5), service.guards.watch(order(), "embedding"):
            await asyncio.sleep(100)
    assert service.state == "open"


@virtual
async def test_who_leaves_early_says_nothing_of_the_service() -> None:
    """A user who stops must not make others do without their model."""
    service = Service()
    for _ in range(5):
        assert await service.ask(after_s=100, within_s=3) == "time-out"
    assert service.asked == 5


@pytest.mark.parametrize(("error", "asked"), [(DOWN, 3), (NOT_DOWN, 6)])
def test_only_what_shows_that_it_is_down_counts(error: ModelUnavailable, asked: int) -> None:
    """Three in a row; a wrong key or a question that is too long is the asker's own trouble."""

    @virtual
    async def test() -> None:
        service = Service()
        for _ in range(6):
            await service.ask(error)
        assert service.asked == asked

    test()


@virtual
async def test_services_are_told_apart_and_bounded_in_number() -> None:
    """Clients may bring any number of addresses."""
    guards = Service().guards
    async with guards.watch(order(), "chat"):
        pass
    for number in range(MOST + 10):
        async with guards.watch(order(f"http://{number}.example", guest="k"), "chat"):
            pass
    assert len(guards.health()) == MOST + 1  # that of the settings stays


@virtual
async def test_client_cannot_shut_off_a_service_of_the_settings() -> None:
    """What it names itself, also at the same address, has a breaker of its own."""
    guards = Service().guards
    for _ in range(10):
        with pytest.raises(ModelUnavailable):
            async with guards.watch(order(guest="wrong"), "chat"):
                raise DOWN
    async with guards.watch(order(), "chat"), guards.watch(order(guest="right"), "chat"):
        pass
