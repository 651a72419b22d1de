"""What a planned stop does to answers that are being written.

``python -m bench.drain [--turns 200]``: so many answers stream when the server is told to stop;
each must end whole before the server leaves, and be in the store, byte for byte, after its next
start.
"""

import argparse
import asyncio
import signal
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.measure import print_machine, print_table
from tests.e2e.client import Asked, Client, Turn
from tests.e2e.conftest import upstreams
from tests.e2e.program import Program
from tests.standins.model_server import ModelServer
from tests.standins.search_server import SearchServer

RESTARTED = 1012
SLOWLY = "[[fake answer tokens=60 fault=pace seconds=0.05]]"


async def begin(client: Client, number: int) -> Asked:
    """A question whose answer has begun."""
    asked = await client.ask(f"Drain {number}? {SLOWLY}")
    await client.until(lambda frame: frame["type"] == "message", 60)
    return asked


async def stopped(program: Program, turns: int) -> tuple[list[Asked], list[Turn], list[int | None]]:
    """Questions, their turns and the codes their sockets were closed with."""
    async with AsyncExitStack() as stack:
        connect = stack.enter_async_context
        clients = [await connect(Client.connect(program, v2=True)) for _ in range(turns)]
        asked = await asyncio.gather(*(begin(client, n) for n, client in enumerate(clients)))
        program.signal(signal.SIGTERM)
        told = await asyncio.gather(*(client.turn(60) for client in clients))
        codes = await asyncio.gather(*(client.closed() for client in clients))
    return asked, told, codes


async def measure(turns: int, folder: Path) -> tuple[object, ...]:
    """One row."""
    async with ModelServer() as models, SearchServer() as search:
        settings = upstreams(models, search)
        async with Program(folder, **settings) as program:
            asked, told, codes = await stopped(program, turns)
        async with Program(folder, **settings) as program:
            rows = [(await program.messages(each.chat_id))[-1] for each in asked]
    whole = sum(turn.end["type"] == "messageEnd" for turn in told)
    pairs = zip(rows, told, strict=True)
    kept = sum(
        row["content"] == turn.text and "error" not in row["metadata"] for row, turn in pairs
    )
    return turns, whole, kept, sum(code == RESTARTED for code in codes)


def is_kept(row: Mapping[str, Any], turn: Turn) -> bool:
    """Whether the store has what the client was told, and not as a failure."""
    return row["content"] == turn.text and "error" not in row["metadata"]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--turns", type=int, default=200)
    with TemporaryDirectory() as folder:
        row = asyncio.run(measure(parser.parse_args().turns, Path(folder)))
    print_machine()
    print_table(("turns", "whole", "kept byte for byte", "closed with 1012"), [row])


if __name__ == "__main__":
    main()
