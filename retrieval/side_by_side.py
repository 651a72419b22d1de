"""Several waits at once, all of them owned by who waits."""

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

T = TypeVar("T")


async def side_by_side(works: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """What each gives, in their order; the first that fails, or whoever leaves, ends them all.

    What a work raises comes in an ``ExceptionGroup``: works translate their own errors.
    """
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(work) for work in works]
    return [task.result() for task in tasks]
