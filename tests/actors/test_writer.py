"""The writer streams a model's answer, and has cited extracts where there is none."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from typing import Any

import pytest

from actors import context
from actors.supervisor import Tree
from actors.system import System
from actors.writer import Writer
from protocol.errors import DeadlineExceeded, ModelUnavailable, ServiceError
from protocol.messages import Write, Written
from protocol.settings import Limits
from protocol.values import ModelChoice, Models, Node
from tests.actors.parts import MODE, NODES, turn_info
from tests.clock import virtual
from upstreams.diary import Diary

MODEL = Models(ModelChoice("stand-in", "model"))
NO_MODEL = Models(ModelChoice("built_in", "extractive"))
LIMITS = Limits(first_token_s=30, token_gap_s=20, answer_chars=100)


class Script:
    """Providers whose model says what a script says: pieces, pauses in seconds, errors."""

    def __init__(self, *steps: str | float | ServiceError) -> None:
        self.steps = steps
        self.closed = False

    def has_model(self, choice: ModelChoice) -> bool:
        """Whether it is not the built-in one."""
        return choice.provider != "built_in"

    async def stream(self, *_: Any, **__: Any) -> AsyncGenerator[str, None]:
        """Play the script."""
        try:
            for step in self.steps:
                if isinstance(step, ServiceError):
                    raise step
                if isinstance(step, str):
                    yield step
                else:
                    await asyncio.sleep(step)
        finally:
            self.closed = True


class Extracts:
    """Retrieval that quotes."""

    modes = {"webSearch": MODE}  # noqa: RUF012 - a fake's constant

    async def ready(self) -> None:
        """At once."""

    def answer_prompt(self, *_: Any) -> tuple[()]:
        """No matter."""
        return ()

    def extract_answer(self, _question: str, nodes: Sequence[Node]) -> list[str]:
        """One piece."""
        return [f"{len(nodes)} sources quoted"]


async def write(
    script: Script, *, models: Models = MODEL, nodes: tuple[Node, ...] = NODES
) -> tuple[Written | ServiceError, list[str]]:
    """What the writer replies, and what it wrote."""
    tree = Tree(System())
    writer = tree.grow(Writer, Extracts(), script, LIMITS)
    pieces: list[str] = []
    message = Write(turn_info().question, nodes, models, pieces.append)
    try:
        reply: Written | ServiceError = await writer.ask(message, timeout=300)
    except ServiceError as error:
        reply = error
    await tree.stop(1)
    return reply, pieces


@virtual
async def test_pieces_are_written_as_they_come() -> None:
    """And the reply says who wrote them."""
    reply, pieces = await write(Script("a", 1.0, "b"))
    assert reply == Written("stand-in/model", 2)
    assert pieces == ["a", "b"]


@virtual
async def test_without_a_model_sources_are_quoted() -> None:
    """The first question works before any key is set."""
    reply, pieces = await write(Script(), models=NO_MODEL)
    assert reply == Written("built_in/extractive", 1)
    assert pieces == ["20 sources quoted"]


@pytest.mark.parametrize(
    ("steps", "why"),
    [
        ((ModelUnavailable("stand-in", "it is down"),), "it is down"),
        ((31.0, "late"), "longer than 30 s"),
        ((), "wrote nothing"),
    ],
)
def test_model_that_fails_before_its_first_word_is_replaced(
    steps: tuple[Any, ...], why: str
) -> None:
    """Cited extracts instead of an error, and the reader is told why."""

    @virtual
    async def test() -> None:
        reply, pieces = await write(Script(*steps))
        assert isinstance(reply, Written)
        assert reply.writer == "built_in/extractive"
        assert why in pieces[0]
        assert pieces[1:] == ["20 sources quoted"]

    test()


@virtual
async def test_trace_says_that_extracts_stand_in_for_the_model() -> None:
    """Its head names the model that was asked."""
    kept = Diary(asyncio.get_running_loop().time)
    context.keep(kept)
    await write(Script(ModelUnavailable("stand-in", "it is down")))
    context.keep(None)
    [span] = kept.story()
    told = {"by": "cited extracts", "key": "MODEL_UNAVAILABLE", "problem": "it is down"}
    assert (span.name, span.facts) == ("replaced", told)


@virtual
async def test_without_sources_the_failure_is_the_askers() -> None:
    """There is nothing to quote."""
    reply, pieces = await write(Script(ModelUnavailable("stand-in", "it is down")), nodes=())
    assert isinstance(reply, ModelUnavailable)
    assert pieces == []


@pytest.mark.parametrize(
    ("last", "kind"),
    [(ModelUnavailable("stand-in", "it broke off"), ModelUnavailable), (21.0, DeadlineExceeded)],
)
def test_model_that_fails_in_the_middle_is_not_replaced(last: Any, kind: type) -> None:
    """Two answers in one would be none."""

    @virtual
    async def test() -> None:
        reply, pieces = await write(Script("a", last, "b"))
        assert isinstance(reply, kind)
        assert pieces == ["a"]

    test()


@virtual
async def test_foreign_link_is_not_shown_however_it_comes() -> None:
    """What was shown is what is stored; what was held back is told at the end."""
    _, pieces = await write(
        Script("a [b](htt", "ps://evil.example/?q", "=1) [1", "] see", " [c](d")
    )
    assert "".join(pieces) == "a [b] [1] see [c] (d"
    assert pieces[:2] == ["a [b", "] [1"]


@virtual
async def test_what_was_held_back_is_told_when_the_model_fails() -> None:
    """Nothing that it wrote is lost."""
    error = ModelUnavailable("stand-in", "it broke off")
    _, pieces = await write(Script("a [1]", error))
    assert "".join(pieces) == "a [1]"


@virtual
async def test_slow_model_is_waited_for_as_long_as_it_goes_on() -> None:
    """The time for the first word is not the time for all of them."""
    reply, _ = await write(Script(*(step for _ in range(10) for step in (19.0, "a"))))
    assert reply == Written("stand-in/model", 10)


@virtual
async def test_model_without_end_is_cut_off() -> None:
    """An answer has a greatest length; what was written stays."""
    reply, pieces = await write(Script(*["x" * 10] * 20))
    assert isinstance(reply, ModelUnavailable)
    assert len("".join(pieces)) == LIMITS.answer_chars


@virtual
async def test_asker_that_leaves_closes_the_call_to_the_model() -> None:
    """Nobody pays for words that nobody reads."""
    script = Script("a", 100.0)
    tree = Tree(System())
    writer = tree.grow(Writer, Extracts(), script, Limits(token_gap_s=3000))
    message = Write(turn_info().question, NODES, MODEL, lambda _piece: None)
    asking = asyncio.ensure_future(asked(writer.ask(message)))
    await asyncio.sleep(1)
    asking.cancel()
    await asyncio.sleep(0)
    await asyncio.sleep(0.1)
    assert script.closed
    await tree.stop(1)


async def asked(reply: Any) -> Any:
    """The reply."""
    return await reply
