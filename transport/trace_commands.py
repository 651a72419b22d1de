"""``perplexica trace``: looking into turns from the terminal, on the store alone."""

import asyncio
import shutil
from argparse import Namespace
from collections.abc import AsyncIterator, Sequence

import msgspec

from protocol.access import EVERYBODY
from protocol.errors import NotFound
from storage.store import Store, Trace
from transport.cases import read_case, save_case
from transport.store_commands import NewId, Now
from transport.terminal import say
from transport.waterfall import drawn

POLL_S = 1.0
MOST = 500  # turns that may end between two looks
WIDTH = (120, 24)  # of what is no terminal
NONE_KEPT = (
    "No turn is kept of a chat, session, turn or answer of that name."
    " Those of POST /api/search never are."
)


async def show_traces(store: Store, options: Namespace, _: Now, __: NewId) -> Sequence[str]:
    """The newest turns one below the other; with ``follow`` each further one as it ends.

    With ``save`` the newest is written to a file, to be replayed by somebody else.
    """
    show = as_json if options.json else as_picture
    if options.follow:
        async for trace in ending(store, options.name):
            say("".join(f"{line}\n" for line in show(trace)))
    traces = await named_traces(store, options.name, options.turns)
    if options.save:
        save_case(await read_case(store, traces[-1]), options.save)
        return [f"{options.save} has all of the turn of answer {traces[-1].message_id}."]
    return [line for trace in traces for line in show(trace)]


async def named_traces(store: Store, name: str, most: int) -> list[Trace]:
    """The newest turns of that name, or of all, oldest first; raises NotFound where none is."""
    traces = await store.traces(name, EVERYBODY, most)
    if not traces:
        raise NotFound(NONE_KEPT)
    return traces


async def ending(store: Store, name: str) -> AsyncIterator[Trace]:
    """Each turn that ends from now on, also in another process; never comes to its end."""
    seen = {trace.turn_id for trace in await store.traces(name, EVERYBODY, MOST) if trace.ended_at}
    while True:
        newest = await store.traces(name, EVERYBODY, MOST)
        for trace in newest:
            if trace.ended_at and trace.turn_id not in seen:
                yield trace
        seen = {trace.turn_id for trace in newest if trace.ended_at}
        await asyncio.sleep(POLL_S)


def as_picture(trace: Trace) -> list[str]:
    """Lines as wide as the terminal, and an empty one."""
    return [*drawn(trace, width=shutil.get_terminal_size(WIDTH).columns), ""]


def as_json(trace: Trace) -> list[str]:
    """One line."""
    return [msgspec.json.encode(trace).decode()]
