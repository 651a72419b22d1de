"""What is left of answers when the process is killed while it writes them.

``python -m bench.kills [--kills 60]``: the server is killed at random moments, started again on the
same folder, and asked for what its clients had seen. An accepted question must be there; an answer
that was told its end must be whole; any other must say that it was interrupted, with what was
written: at most the last quarter of a second (or 2 kB) may be missing.
"""

import argparse
import asyncio
import random
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.measure import print_machine, print_table
from tests.e2e.client import Asked, Client, Frame
from tests.e2e.conftest import upstreams
from tests.e2e.program import Program
from tests.standins.model_server import ModelServer
from tests.standins.search_server import SearchServer

CLIENTS = 8
LONGEST_S = 1.5
LOST_S = 0.25
SENTENCE = "This answer was interrupted"  # where nothing of it had been kept
HEADS = ("kills", "accepted", "lost", "whole", "interrupted", "wrong", "most chars missing")


@dataclass(frozen=True)
class Seen:
    """What one client has seen before the kill: its question, the frames, the text of late."""

    asked: Asked
    frames: tuple[Frame, ...]
    late: str

    def has(self, kind: str) -> bool:
        """Whether a frame of that type came."""
        return any(frame["type"] == kind for frame in self.frames)

    @property
    def text(self) -> str:
        """What it was told of the answer."""
        return "".join(frame["data"] for frame in self.frames if frame["type"] == "message")


async def until_killed(program: Program, stack: AsyncExitStack, draw: random.Random) -> list[Seen]:
    """Ask with several clients, kill the server, and tell what each has seen."""
    connect = stack.enter_async_context
    clients = [await connect(Client.connect(program, v2=True)) for _ in range(CLIENTS)]
    asked = []
    for client in clients:
        slowly = f"[[fake answer tokens={draw.randint(1, 200)} fault=pace seconds=0.01]]"
        asked.append(await client.ask(f"Killed? {slowly}"))
    await asyncio.sleep(draw.random() * LONGEST_S)
    program.kill()
    await program.ended()
    await asyncio.gather(*(client.socket.wait_closed() for client in clients))
    return [seen(client, question) for client, question in zip(clients, asked, strict=True)]


def seen(client: Client, asked: Asked) -> Seen:
    """What a client has seen; ``late`` is what came within the time that may be lost."""
    told = tuple(frame for frame in client.frames if frame["type"] != "signal")
    pairs = zip(client.frames, client.times, strict=True)
    last = client.times[-1] if client.times else 0.0
    late = [f["data"] for f, at in pairs if f["type"] == "message" and at >= last - LOST_S]
    return Seen(asked, told, "".join(late))


def verdict(one: Seen, rows: list[dict[str, Any]]) -> tuple[str, int]:
    """What became of a question, and how many characters of what was seen are missing."""
    if not rows:
        return ("lost" if one.has("accepted") else "never accepted"), 0
    if [row["role"] for row in rows] != ["user", "assistant"]:
        return "wrong", 0
    text, error = rows[-1]["content"], rows[-1]["metadata"].get("error", "")
    if not error:
        return ("whole" if text.startswith(one.text) else "wrong"), 0
    kept = "" if text.startswith(SENTENCE) else text
    missing = max(0, len(one.text) - len(kept))
    is_same = kept.startswith(one.text) or one.text.startswith(kept)
    is_right = error == "INTERRUPTED" and not one.has("messageEnd")
    allowed = missing <= max(len(one.late), 2048)
    return ("interrupted" if is_same and is_right and allowed else "wrong"), missing


async def measure(kills: int, folder: Path) -> tuple[object, ...]:
    """One row."""
    draw, outcomes = random.Random(1), Counter[str]()
    accepted = most = 0
    async with ModelServer() as models, SearchServer() as search:
        settings = upstreams(models, search)
        for _ in range(kills):
            async with Program(folder, **settings) as program, AsyncExitStack() as stack:
                told = await until_killed(program, stack, draw)
            async with Program(folder, **settings) as program:
                for one in told:
                    outcome, missing = verdict(one, await program.messages(one.asked.chat_id))
                    outcomes[outcome] += 1
                    accepted += one.has("accepted")
                    most = max(most, missing)
    kinds = ("lost", "whole", "interrupted", "wrong")
    return kills, accepted, *(outcomes[kind] for kind in kinds), most


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=60)
    with TemporaryDirectory() as folder:
        row = asyncio.run(measure(parser.parse_args().kills, Path(folder)))
    print_machine()
    print_table(HEADS, [row])


if __name__ == "__main__":
    main()
