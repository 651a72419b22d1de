"""Asynchronous work for callers without an event loop: LlamaIndex's blocking methods.

Each call has an event loop and connections of its own, both closed at its end. Where a loop
already runs these refuse with a RuntimeError, as they would hold it up: there is an asynchronous
method beside each of them.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from typing import TypeVar

from providers.remote import Remote

T = TypeVar("T")


def waited(remote: Remote, work: Callable[[Remote], Awaitable[T]]) -> T:
    """What ``work`` returns."""
    _refuse_on_a_loop()
    return asyncio.run(_with_connections(remote, work))


def stepped(
    remote: Remote, work: Callable[[Remote], AsyncGenerator[T, None]]
) -> Generator[T, None, None]:
    """What ``work`` yields, piece by piece; closing the generator closes the connection."""
    _refuse_on_a_loop()
    with asyncio.Runner() as runner:
        apart = remote.apart()
        pieces = work(apart)
        try:
            while (piece := runner.run(_next(pieces))) is not None:
                yield piece
        finally:
            runner.run(_close(pieces, apart))


async def _with_connections(remote: Remote, work: Callable[[Remote], Awaitable[T]]) -> T:
    apart = remote.apart()
    try:
        return await work(apart)
    finally:
        await apart.close()


async def _next(pieces: AsyncGenerator[T, None]) -> T | None:
    return await anext(pieces, None)


async def _close(pieces: AsyncGenerator[T, None], apart: Remote) -> None:
    await pieces.aclose()
    await apart.close()


def _refuse_on_a_loop() -> None:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise RuntimeError("a blocking call would hold up the event loop; await its async twin")
