"""Where the time of the program's event loop goes while it is asked: by cProfile.

``python -m bench.profiled [--tokens 60] [--answers 200] [--sessions 8] [--rows 40]``. ``--streams
200`` profiles streams of 50 pieces a second instead. cProfile counts calls, and makes small
functions look dearer than they are: read the order, not the milliseconds.
"""

import argparse
import asyncio
import pstats
import signal
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import answers, streams
from bench.askers import of_length
from bench.processes import running, settings_for, swift_services
from tests.e2e.program import Program

RUNNER = Path(__file__).with_name("under_profile.py")


async def measure(options: argparse.Namespace, folder: Path) -> None:
    """Ask the program that runs under cProfile, once it is warm."""
    within = (sys.executable, str(RUNNER), str(folder / "profile"))
    async with AsyncExitStack() as stack:
        if options.streams:
            source = await stack.enter_async_context(running("bench.stream_source"))
            settings = settings_for(source.url, source.url) | streams.MANY
        else:
            settings, _ = await swift_services(stack)
        program = await stack.enter_async_context(Program(folder, within=within, **settings))
        if options.streams:
            program.signal(signal.SIGUSR1)
            await streams.one_round(program, source, options.streams)
        else:
            text = of_length(options.tokens)
            await answers.asked(program, text, options.sessions, answers.WARM)
            program.signal(signal.SIGUSR1)
            await answers.asked(program, text, options.sessions, options.answers)
        program.signal(signal.SIGUSR1)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    for name, number in (("tokens", 60), ("answers", 200), ("sessions", 8), ("rows", 40)):
        parser.add_argument(f"--{name}", type=int, default=number)
    parser.add_argument("--streams", type=int, default=0)
    parser.add_argument("--sort", default="tottime", choices=("tottime", "cumtime"))
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        asyncio.run(measure(options, Path(folder)))
        stats = pstats.Stats(str(Path(folder) / "profile"))
        stats.sort_stats(options.sort).print_stats(options.rows)


if __name__ == "__main__":
    main()
