"""A call of a chat model leaves its figures in the diary of the turn that makes it."""

import time
from collections.abc import AsyncGenerator, Iterator

import pytest

from protocol.errors import ModelUnavailable
from protocol.values import ModelChoice
from providers.noted import noted_pieces
from tests.providers.places import PROMPT, custom, serving, told
from tests.providers.tiny_server import says
from upstreams import diary
from upstreams.diary import Diary

CHOICE = ModelChoice("openai", "gpt")


@pytest.fixture
def kept() -> Iterator[Diary]:
    """The diary of the test."""
    made = Diary(time.monotonic)
    diary.enter(made)
    yield made
    diary.enter(None)


async def some(*pieces: str, error: Exception | None = None) -> AsyncGenerator[str, None]:
    """Pieces, and how they end."""
    for piece in pieces:
        yield piece
    if error:
        raise error


async def test_call_of_a_service_is_noted(kept: Diary) -> None:
    """Whose model it was, how many pieces came, and about how many tokens that was."""
    async with serving(says("Hello ", "world")) as (server, providers):
        pieces = await told(providers, custom(server.url, model="tiny"))
    [span] = kept.story()
    sizes = {"pieces": len(pieces), "tokens_in_estimated": 5, "tokens_out_estimated": 3}
    assert span.facts.pop("first_ms", None) is not None
    assert span.facts == {
        "provider": "custom_openai",
        "model": "tiny",
        "pieces": len(pieces),
        **sizes,
    }


async def test_failure_is_noted_with_what_came_before(kept: Diary) -> None:
    """A service that broke off has its error's key."""
    error = ModelUnavailable("openai", "it broke off")
    with pytest.raises(ModelUnavailable):
        async for _ in noted_pieces(CHOICE, PROMPT, lambda: some("a", error=error)):
            pass
    [span] = kept.story()
    assert (span.name, span.facts["pieces"]) == ("model", 1)
    assert span.facts["failed"] == "MODEL_UNAVAILABLE"


async def test_without_a_diary_the_stream_is_left_as_it_is() -> None:
    """Nothing stands between the service and its asker."""
    stream = some("a")
    assert noted_pieces(CHOICE, PROMPT, lambda: stream) is stream
    await stream.aclose()
