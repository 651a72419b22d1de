"""What clients that lose their connections miss of their answers: nothing.

``python -m bench.cuts [--cuts 1000]``: clients of ``perplexica.v2`` are cut off at random moments
while their answers stream (the socket is torn down, with or without unread data), come back and
resume. What they have read in all must be the stored answer, with no event twice and none missing.
"""

import argparse
import asyncio
import random
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.measure import print_machine, print_table
from tests.e2e.client import ENDS, Client
from tests.e2e.conftest import upstreams
from tests.e2e.program import Program
from tests.standins.model_server import ModelServer
from tests.standins.search_server import SearchServer

TURNS = 20
LONGEST_S = 0.15  # that a client listens before it is cut off
SLOWLY = "[[fake answer tokens=900 fault=pace seconds=0.01]]"


@dataclass
class Told:
    """What one client has read of its answer, over all its connections."""

    answer: str = ""
    seq: int = 0
    texts: list[str] = field(default_factory=list)
    cuts: int = 0
    again: int = 0
    has_ended: bool = False

    def take(self, client: Client) -> None:
        """Note the frames of a connection that is over."""
        for frame in client.frames:
            if "seq" not in frame or frame["type"] == "resumed":
                continue
            self.again += frame["seq"] <= self.seq
            self.answer, self.seq = frame["messageId"], max(self.seq, frame["seq"])
            if frame["type"] == "message":
                self.texts.append(frame["data"])
            self.has_ended |= frame["type"] in ENDS


async def listen(program: Program, told: Told, draw: random.Random, *, cut: bool) -> None:
    """One connection: resume, listen a while, and be cut off, or read to the end."""
    async with Client.connect(program, v2=True) as client:
        await client.send({"type": "resume", "messageId": told.answer, "after": told.seq})
        if not cut:
            await client.turn()
        else:
            await asyncio.sleep(draw.random() * LONGEST_S)
            if draw.random() < 0.5:
                client.socket.transport.pause_reading()
                await asyncio.sleep(draw.random() * LONGEST_S)
            told.cuts += 1
            client.socket.transport.abort()
            await client.socket.wait_closed()
    told.take(client)


async def one(program: Program, number: int, cuts: int) -> tuple[Told, str]:
    """A question, its cuts, and the answer as it is stored."""
    draw, told = random.Random(number), Told()
    async with Client.connect(program, v2=True) as client:
        asked = await client.ask(f"Cut {number}? {SLOWLY}")
        await client.until(lambda frame: frame["type"] == "accepted")
    told.take(client)
    while told.cuts < cuts:
        await listen(program, told, draw, cut=True)
    if not told.has_ended:
        await listen(program, told, draw, cut=False)
    rows = await program.messages(asked.chat_id, at_least=2)
    return told, rows[-1]["content"]


async def measure(cuts: int, folder: Path) -> tuple[object, ...]:
    """One row."""
    async with (
        ModelServer() as models,
        SearchServer() as search,
        Program(folder, **upstreams(models, search)) as program,
    ):
        work = (one(program, number, -(-cuts // TURNS)) for number in range(TURNS))
        outcomes = await asyncio.gather(*work)
    same = sum("".join(told.texts) == stored for told, stored in outcomes)
    made = sum(told.cuts for told, _ in outcomes)
    return TURNS, made, same, sum(told.again for told, _ in outcomes)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--cuts", type=int, default=1000)
    with TemporaryDirectory() as folder:
        row = asyncio.run(measure(parser.parse_args().cuts, Path(folder)))
    print_machine()
    print_table(("answers", "cuts", "the same as stored", "events twice"), [row])


if __name__ == "__main__":
    main()
