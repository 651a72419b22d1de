"""A model service that is dead is left alone; one that refuses a request is not dead."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

import pytest

from protocol.errors import ModelUnavailable
from protocol.settings import Limits, Resilience, Settings
from providers.endpoint import Endpoint
from providers.guard import LEFT_ALONE, LONG_CHARS, MOST_GUESTS, Guards
from providers.loaded import Order
from providers.openai_api import OpenAiDialect
from tests.clock import virtual
from upstreams import diary
from upstreams.diary import Diary
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
        self,
        error: ModelUnavailable | None = None,
        after_s: float = 0,
        within_s: float = 10,
        chars: int = 0,
    ) -> str:
        """What comes of a question, in a word."""
        try:
            async with (
                asyncio.timeout(within_s),
                aclosing(
                    self.guards.pieces(order(), lambda: self._made(error, after_s), chars=chars)
                ) as pieces,
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
async def test_question_of_any_length_cannot_shut_off_a_service() -> None:
    """That nothing comes of a long one is no news of the service; of an ordinary one it is."""
    service, long = Service(), LONG_CHARS["chat"] + 1
    for _ in range(3):
        assert await service.ask(after_s=100, chars=long) == "time-out"
        assert await service.ask(DOWN, chars=long) == DOWN.problem
    assert service.state == "closed"
    assert await service.ask(after_s=100, chars=LONG_CHARS["chat"]) == "time-out"
    assert service.state == "open"


@virtual
async def test_long_question_may_find_that_a_service_is_well_again() -> None:
    """If it fails, an ordinary one tries after the same pause."""
    service, long = Service(), LONG_CHARS["chat"] + 1
    await service.ask(after_s=100)
    for error in (DOWN, None):
        await asyncio.sleep(5)
        await service.ask(error, chars=long)
    assert service.state == "closed"


@virtual
async def test_service_that_answers_others_meanwhile_is_not_silent() -> None:
    """One question that takes it too long is that question's trouble."""
    service = Service()
    slow = asyncio.ensure_future(service.ask(after_s=100))
    await asyncio.sleep(5)
    assert await service.ask() == "a"
    assert await slow == "time-out"
    assert service.state == "closed"


async def failing(guards: Guards, guest: Order, asker: str, error: ModelUnavailable = DOWN) -> str:
    """What somebody is told of the service that they name, which fails."""
    diary.enter(Diary(lambda: 0.0, asker=asker))
    with pytest.raises(ModelUnavailable) as refusal:
        async with guards.watch(guest, "chat"):
            raise error
    return refusal.value.problem


@virtual
async def test_dead_service_of_a_client_costs_its_asker_one_time_out() -> None:
    """Others who name the same, or the same people with another key, ask it all the same."""
    guards, guest = Service().guards, order(guest="k")
    diary.enter(Diary(lambda: 0.0, asker="eve"))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(10), guards.watch(guest, "chat"):
            await asyncio.sleep(100)
    assert await failing(guards, guest, "eve") == LEFT_ALONE
    assert await failing(guards, order(guest="other"), "eve") == DOWN.problem
    assert await failing(guards, guest, "bob") == DOWN.problem
    diary.enter(Diary(lambda: 0.0, asker="bob"))
    async with guards.watch(order(), "chat"), guards.watch(guest, "chat"):
        pass
    assert len(guards.health()) == 1, "the client's own is nobody else's business"


@virtual
async def test_services_of_clients_are_forgotten_where_there_are_too_many() -> None:
    """Those that were not asked for longest; the state of the others stays."""
    guards, guest = Service().guards, order(guest="k")
    for _ in range(3):
        for asker in ("first", "last"):
            assert await failing(guards, guest, asker) == DOWN.problem
    for number in range(MOST_GUESTS - 1):
        await failing(guards, order(f"http://{number}.example", "k"), "eve")
        assert await failing(guards, guest, "last") == LEFT_ALONE
    assert await failing(guards, guest, "first") == DOWN.problem


@virtual
async def test_service_of_a_client_is_never_left_alone_where_nobody_knows_who_asks() -> None:
    """It would be left alone for all of them."""
    guards = Service().guards
    for _ in range(5):
        assert await failing(guards, order(guest="k"), "") == DOWN.problem
