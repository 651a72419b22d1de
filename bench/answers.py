"""What an answer costs the server when its upstreams answer at once, beside the bare relay.

``python -m bench.answers [--answers 256] [--tokens 60,200,1000] [--sessions 1,8,32,128]``: answers
a second, CPU time of the server's process for one answer, how many of them would fill a core, and
the time from question to first piece. ``--slow`` asks services that are as slow as real ones: 0.3 s
to the first token, 0.02 s a token, 0.3 s a search; the sessions begin one after the other, as
people do not ask in step, and what is measured begins when all are there. All but the server run in
other processes.
"""

import argparse
import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.askers import anew, ask_in_turn, asker, of_length
from bench.measure import cpu_ms_of, print_machine, print_table, spread
from bench.processes import Server, swift_services
from tests.e2e.program import Program

HEADS = (
    *("tokens", "sessions", "answers", "answers/s", "CPU ms an answer", "answers/s of a core"),
    *("first piece ms", "relay: answers/s", "CPU ms", "ratio of CPU"),
)
WARM = 100  # until Python and the store have seen it all
SPREAD_S = 2.5  # of the sessions' first questions, about as long as a slow answer takes
# Thirteen tokens of a query, with what tells the services to be slow: at best 54 answers a second
# of 128 sessions, as those that the reference was measured with (2.36 s for each).
ELSE = "In all this: "
SLOW = " fault=pace first=0.3 seconds=0.02]] [[fake rephrase fault=pace first=0.3 seconds=0.02]] "
SLOW += "[[fake search fault=delay seconds=0.3"
Asked = Callable[[Server, str, int, int], Awaitable[tuple[float, float, list[float]]]]


async def asked(
    server: Server, text: str, sessions: int, answers: int
) -> tuple[float, float, list[float]]:
    """Answers a second, CPU ms of an answer, and the ms to the first piece of each."""
    each = max(1, answers // sessions)
    loop = asyncio.get_running_loop()
    before, began = cpu_ms_of(server.pid), loop.time()
    asking = (ask_in_turn(server, [text] * each) for _ in range(sessions))
    times = [time.first * 1000 for some in await asyncio.gather(*asking) for time in some]
    took, cpu_ms = loop.time() - began, cpu_ms_of(server.pid) - before
    return len(times) / took, cpu_ms / len(times), times


async def asked_out_of_step(
    server: Server, text: str, sessions: int, answers: int
) -> tuple[float, float, list[float]]:
    """The same of sessions that begin one after the other, and ask until there are enough."""
    loop, enough, times = asyncio.get_running_loop(), asyncio.Event(), list[float]()
    began = loop.time() + 2 * SPREAD_S  # all have begun by then, and most have ended once

    async def one(number: int) -> None:
        await asyncio.sleep(number / sessions * SPREAD_S)
        async with asker(server) as client:
            while not enough.is_set():
                first = (await client.ask(anew(text))).first
                if loop.time() >= began and len(times) < answers:
                    times.append(first * 1000)
                if len(times) == answers:
                    enough.set()

    async with asyncio.TaskGroup() as group:
        for number in range(sessions):
            group.create_task(one(number))
        await asyncio.sleep(began - loop.time())
        before = cpu_ms_of(server.pid)
        await enough.wait()
        took, cpu_ms = loop.time() - began, cpu_ms_of(server.pid) - before
    return answers / took, cpu_ms / answers, times


async def row(
    ask: Asked, program: Server, relay: Server, text: str, sessions: int, answers: int
) -> tuple[object, ...]:
    """One row of the table, without its first column."""
    rate, cpu_ms, times = await ask(program, text, sessions, answers)
    floor_rate, floor_ms, _ = await ask(relay, text, sessions, answers)
    ours = (sessions, len(times), rate, cpu_ms, 1000 / cpu_ms, spread(times))
    return (*ours, floor_rate, floor_ms, cpu_ms / floor_ms)


def slow(tokens: int) -> str:
    """A question whose answer has so many tokens, and comes slowly."""
    return ELSE + of_length(tokens, SLOW)


async def measure(options: argparse.Namespace, folder: Path) -> list[tuple[object, ...]]:
    """All rows, after a few answers that warm everything up."""
    text, ask = (slow, asked_out_of_step) if options.slow else (of_length, asked)
    async with AsyncExitStack() as stack:
        settings, relay = await swift_services(stack)
        program = await stack.enter_async_context(Program(folder, **settings))
        await ask_in_turn(program, [of_length(60)] * WARM)
        return [
            (tokens, *await row(ask, program, relay, text(tokens), sessions, options.answers))
            for tokens, sessions in product(options.tokens, options.sessions)
        ]


def numbers(text: str) -> list[int]:
    """Whole numbers with commas between them."""
    return [int(number) for number in text.split(",")]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--answers", type=int, default=256, help="answers in each row, at least")
    parser.add_argument("--tokens", type=numbers, default=[60, 200, 1000])
    parser.add_argument("--sessions", type=numbers, default=[1, 8, 32, 128])
    parser.add_argument("--slow", action="store_true", help="services as slow as real ones")
    with TemporaryDirectory() as folder:
        rows = asyncio.run(measure(parser.parse_args(), Path(folder)))
    print_machine()
    print_table(HEADS, rows)


if __name__ == "__main__":
    main()
