"""The narrow waist through which all goes that a turn asks of the world outside."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import datetime
from typing import TypeVar

from upstreams.diary import current

T = TypeVar("T")


async def recorded(
    source: str, asked: object, call: Callable[[], Awaitable[T]], kind: type[T]
) -> T:
    """What ``call`` gives, recorded or played where the turn has a tape.

    Args:
        source: Whom is asked: a word for people.
        asked: What, of types that MessagePack knows.
        call: Asks.
        kind: What comes of it, a type that MessagePack knows.

    """
    diary = current()
    if diary is None or diary.tape is None:
        return await call()
    return await diary.tape.one(source, diary.stage, asked, call, kind)


def recorded_pieces(
    source: str, asked: object, make: Callable[[], AsyncGenerator[str, None]]
) -> AsyncGenerator[str, None]:
    """The same for what comes piece by piece; whoever has it closes it."""
    diary = current()
    if diary is None or diary.tape is None:
        return make()
    return diary.tape.pieces(source, diary.stage, asked, make)


def recorded_now(now: Callable[[], datetime]) -> datetime:
    """The time as the clock tells it, or as it was."""
    diary = current()
    if diary is None or diary.tape is None:
        return now()
    return diary.tape.now(diary.stage, now)
