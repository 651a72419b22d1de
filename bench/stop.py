"""How soon a stop ends the call to the model: from the client's frame to the closed connection.

``python -m bench.stop [--tries 100]``: answers that would take a minute are stopped at random
moments; the stand-in model server says when its connection was closed. Bound of the project:
200 ms in all of them.
"""

import argparse
import asyncio
import random
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory

from bench.measure import print_machine, print_table
from tests.e2e.client import Client
from tests.e2e.conftest import upstreams
from tests.e2e.program import Program
from tests.standins.model_server import ModelServer
from tests.standins.search_server import SearchServer

BOUND_S = 0.2
DEADLINE_S = 10.0
SLOWLY = "[[fake answer tokens=600 fault=pace seconds=0.1]]"


async def one(client: Client, models: ModelServer, number: int, wait_s: float) -> float:
    """Seconds from the stop to the closed connection."""
    text = f"Stop {number}? {SLOWLY}"
    await client.ask(text)
    frame = await client.until(lambda frame: frame["type"] == "message")
    await asyncio.sleep(wait_s)
    began = asyncio.get_running_loop().time()
    await client.send({"type": "stop", "messageId": frame["messageId"]})
    call = await models.record.first(
        lambda e: e.text == text and e.kind == "answer" and e.ended is not None, DEADLINE_S
    )
    await client.turn()
    client.forget()
    assert call.closed_early
    assert call.ended is not None
    return call.ended - began


async def measure(tries: int, folder: Path) -> list[float]:
    """All tries, one after the other."""
    draw = random.Random(1)
    async with (
        ModelServer() as models,
        SearchServer() as search,
        Program(folder, **upstreams(models, search)) as program,
        Client.connect(program, v2=True) as client,
    ):
        return [await one(client, models, n, draw.random() / 2) for n in range(tries)]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--tries", type=int, default=100)
    with TemporaryDirectory() as folder:
        times = asyncio.run(measure(parser.parse_args().tries, Path(folder)))
    late = sum(time > BOUND_S for time in times)
    figures = (median(times), quantiles(times, n=100)[-1], max(times))
    print_machine()
    heads = ("tries", "over 200 ms", "median ms", "p99 ms", "most ms")
    print_table(heads, [(len(times), late, *(time * 1000 for time in figures))])


if __name__ == "__main__":
    main()
