"""Calls of chat models, noted in the diary of the turn that makes them."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from protocol.values import ModelChoice, Prompt
from upstreams.diary import current, span

BYTES_OF_TOKEN = 4


def noted_pieces(
    choice: ModelChoice, prompt: Prompt, make: Callable[[], AsyncGenerator[str, None]]
) -> AsyncGenerator[str, None]:
    """The pieces of an answer; a turn's diary is told how many there were, and when they came."""
    return make() if current() is None else _noted(choice, prompt, make)


async def _noted(
    choice: ModelChoice, prompt: Prompt, make: Callable[[], AsyncGenerator[str, None]]
) -> AsyncGenerator[str, None]:
    diary = current()
    assert diary is not None
    began, first, pieces, chars = diary.now(), 0.0, 0, 0
    with span("model", provider=choice.provider, model=choice.model) as facts:
        try:
            async with aclosing(make()) as made:
                async for piece in made:
                    first = first or diary.now()
                    pieces += 1
                    chars += len(piece)
                    yield piece
        finally:
            if pieces:
                facts["first_ms"] = round(1000 * (first - began))
            facts["pieces"] = pieces
            # Services count in ways of their own, and not all of them tell.
            facts["tokens_in_estimated"] = tokens(sum(len(said.text) for said in prompt))
            facts["tokens_out_estimated"] = tokens(chars)


def tokens(chars: int) -> int:
    """About how many tokens so many characters are."""
    return -(-chars // BYTES_OF_TOKEN)
