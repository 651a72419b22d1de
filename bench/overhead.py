"""What the program adds to a question's time when its services answer at once.

``python -m bench.overhead [--answers 60] [--opens 200]``: one session at a time; from question to
first piece and to end, and from connecting to ``signal open``, beside the bare relay.
"""

import argparse
import asyncio
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from bench.answers import WARM
from bench.askers import DEADLINE_S, Asker, ask_in_turn, of_length
from bench.measure import cpu_ms_of, print_machine, print_table, spread
from bench.processes import Server, swift_services
from tests.e2e.program import Program

TOKENS = (20, 200)
GROUP = 10  # of answers by the program, then as many by the relay
HEADS = ("what", "ms", "CPU ms", "relay: ms", "CPU ms", "more ms")


class Taken:
    """Times of one server in ms, by what was waited for, and its CPU time in ms for each group."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.ms: dict[str, list[float]] = {}
        self.cpu_ms: dict[str, list[float]] = {}

    async def answer(self, tokens: int) -> None:
        """Ask a group of questions."""
        before = cpu_ms_of(self.server.pid)
        times = await ask_in_turn(self.server, [of_length(tokens)] * GROUP)
        cpu_ms = (cpu_ms_of(self.server.pid) - before) / GROUP
        self._note(f"first piece, {tokens} tokens", [t.first for t in times], cpu_ms)
        self._note(f"end, {tokens} tokens", [t.end for t in times], cpu_ms)

    async def open(self) -> None:
        """Open a group of sessions, one after the other."""
        loop, before, seconds = asyncio.get_running_loop(), cpu_ms_of(self.server.pid), []
        for _ in range(GROUP):
            _, client = await loop.create_connection(Asker, "127.0.0.1", self.server.port)
            seconds.append(await asyncio.wait_for(client.opened, DEADLINE_S))
            client.leave()
        self._note("signal open", seconds, (cpu_ms_of(self.server.pid) - before) / GROUP)

    def _note(self, what: str, seconds: Sequence[float], cpu_ms: float) -> None:
        self.ms.setdefault(what, []).extend(second * 1000 for second in seconds)
        self.cpu_ms.setdefault(what, []).append(cpu_ms)


async def measure(answers: int, opens: int, folder: Path) -> tuple[Taken, Taken]:
    """What the program took, and the relay, in turn."""
    async with AsyncExitStack() as stack:
        settings, relay = await swift_services(stack)
        program = await stack.enter_async_context(Program(folder, **settings))
        await ask_in_turn(program, [of_length(60)] * WARM)
        both = Taken(program), Taken(relay)
        for _ in range(answers // GROUP):
            for tokens in TOKENS:
                for taken in both:
                    await taken.answer(tokens)
        for _ in range(opens // GROUP):
            for taken in both:
                await taken.open()
        return both


def rows(ours: Taken, floor: Taken) -> Iterator[tuple[object, ...]]:
    """The table."""
    for what, times in ours.ms.items():
        yield (
            *(what, spread(times), median(ours.cpu_ms[what])),
            *(spread(floor.ms[what]), median(floor.cpu_ms[what])),
            median(times) - median(floor.ms[what]),
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--answers", type=int, default=60)
    parser.add_argument("--opens", type=int, default=200)
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        both = asyncio.run(measure(options.answers, options.opens, Path(folder)))
    print_machine()
    print_table(HEADS, rows(*both))


if __name__ == "__main__":
    main()
