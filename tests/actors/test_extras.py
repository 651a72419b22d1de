"""Media, further questions and news, through a pool as in the program."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from actors.extras import Extras, ExtrasDesk
from actors.pool import Pool
from actors.supervisor import Tree
from actors.system import System
from protocol.base import Request
from protocol.errors import (
    DeadlineExceeded,
    ModelUnavailable,
    SearchUnavailable,
    ServerDraining,
    ServiceError,
)
from protocol.extras import (
    Discover,
    Discovered,
    FindMedia,
    Media,
    MediaFound,
    NewsItem,
    Suggest,
    Suggested,
)
from protocol.settings import Limits
from protocol.values import ModelChoice, Prompt, PromptMessage, Utterance
from tests.clock import virtual

MODEL = ModelChoice("stand-in", "model")
NO_MODEL = ModelChoice("built_in", "extractive")
TALK = (Utterance("user", "Why?"), Utterance("assistant", "Because."))
NEWS = tuple(NewsItem(str(n), "", f"https://a.example/{n}", "https://i.example") for n in range(5))
LIMITS = Limits(rephrase_s=15, suggest_s=30, search_s=5)


class Model:
    """Providers whose model says one thing, after a while, or breaks."""

    def __init__(self, reply: str | ServiceError = "", *, after_s: float = 0) -> None:
        self._reply = reply
        self._after_s = after_s
        self.temperatures: list[float] = []
        self.cancelled = False

    def has_model(self, choice: ModelChoice) -> bool:
        """Whether it is not the built-in one."""
        return choice != NO_MODEL

    async def complete(self, _: ModelChoice, __: Prompt, *, temperature: float) -> str:
        """The reply."""
        self.temperatures.append(temperature)
        try:
            await asyncio.sleep(self._after_s)
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        if isinstance(self._reply, ServiceError):
            raise self._reply
        return self._reply


class Finds:
    """Retrieval that shows the query that it was given."""

    def __init__(self, error: ServiceError | None = None) -> None:
        self._error = error

    async def media(self, kind: str, query: str) -> tuple[Media, ...]:
        """One item."""
        if self._error:
            raise self._error
        return (Media(kind, query, "T"),)

    async def news(self) -> tuple[NewsItem, ...]:
        """Five."""
        return NEWS

    async def media_prompt(self, kind: str, query: str, _: Sequence[Utterance]) -> Prompt:
        """No matter."""
        return (PromptMessage("user", kind + query),)

    async def suggestions_prompt(self, _: Sequence[Utterance]) -> Prompt:
        """No matter."""
        return ()

    def parse_query(self, reply: str, question: str) -> str:
        """The reply."""
        return reply or question

    def parse_suggestions(self, reply: str) -> tuple[str, ...]:
        """Its lines."""
        return tuple(reply.splitlines())


async def ask(request: Request[Any], model: Model | None = None, finds: Finds | None = None) -> Any:
    """The reply, or the error."""
    tree = Tree(System())
    actor = (Extras, finds or Finds(), model or Model(), LIMITS, list.reverse)
    desk = ExtrasDesk(tree.grow(Pool, *actor, size=2), LIMITS)
    try:
        return await desk(request)
    except ServiceError as error:
        return error
    finally:
        await tree.stop(5)


def media(model: ModelChoice = MODEL) -> FindMedia:
    return FindMedia("images", "photos", TALK, model)


@virtual
async def test_the_model_makes_the_query() -> None:
    """At a temperature that finds something else each time."""
    model = Model("lighthouses")
    assert await ask(media(), model) == MediaFound((Media("images", "lighthouses", "T"),))
    assert model.temperatures == [0.7]


@pytest.mark.parametrize(
    ("model", "choice"),
    [
        (Model(ModelUnavailable("stand-in", "it is down")), MODEL),
        (Model("too late", after_s=16), MODEL),
        (Model("never asked"), NO_MODEL),
    ],
)
def test_without_a_reply_the_question_is_the_query(model: Model, choice: ModelChoice) -> None:
    """No model, one that fails, one that takes too long: there are pictures all the same."""

    @virtual
    async def test() -> None:
        assert await ask(media(choice), model) == MediaFound((Media("images", "photos", "T"),))

    test()


@virtual
async def test_a_search_that_fails_is_the_askers() -> None:
    """An empty list would say that there is nothing to see."""
    error = await ask(media(), finds=Finds(SearchUnavailable("SearXNG", "it is down")))
    assert isinstance(error, SearchUnavailable)


@virtual
async def test_questions_are_suggested_without_chance() -> None:
    """The same talk has the same ones."""
    model = Model("A?\nB?")
    assert await ask(Suggest(TALK, MODEL), model) == Suggested(("A?", "B?"))
    assert model.temperatures == [0.0]


@pytest.mark.parametrize("request_", [Suggest(TALK, NO_MODEL), Suggest((), MODEL)])
def test_nothing_is_suggested_without_a_model_or_a_talk(request_: Suggest) -> None:
    """And nobody is asked."""

    @virtual
    async def test() -> None:
        model = Model("A?")
        assert await ask(request_, model) == Suggested(())
        assert model.temperatures == []

    test()


@pytest.mark.parametrize(
    ("model", "kind"),
    [
        (Model(ModelUnavailable("stand-in", "it is down")), ModelUnavailable),
        (Model("too late", after_s=31), DeadlineExceeded),
    ],
)
def test_a_model_that_fails_suggests_an_error(model: Model, kind: type) -> None:
    """With the status of what failed, within its time."""

    @virtual
    async def test() -> None:
        assert isinstance(await ask(Suggest(TALK, MODEL), model), kind)

    test()


@virtual
async def test_news_are_mixed() -> None:
    """As the shuffle that was handed in has it; what is remembered stays as it is."""
    assert await ask(Discover()) == Discovered(NEWS[::-1])
    assert await ask(Discover()) == Discovered(NEWS[::-1])


@virtual
async def test_an_asker_that_leaves_ends_the_work() -> None:
    """Down to the call to the model."""
    model = Model("late", after_s=20)
    asking = asyncio.ensure_future(ask(Suggest(TALK, MODEL), model))
    await asyncio.sleep(1)
    asking.cancel()
    await asyncio.wait({asking})
    assert model.cancelled


@virtual
async def test_a_program_that_stops_says_so() -> None:
    """It takes nothing more."""
    tree = Tree(System())
    desk = ExtrasDesk(
        tree.grow(Pool, Extras, Finds(), Model(), LIMITS, list.reverse, size=2), LIMITS
    )
    await tree.stop(5)
    with pytest.raises(ServerDraining):
        await desk(Discover())
