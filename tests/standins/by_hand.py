"""Runs a stand-in as a process of its own, for trials by hand and for benches."""

import argparse
import asyncio
import contextlib
import signal
import sys

from tests.standins.http_server import StandIn


async def serve(server: StandIn, port: int) -> None:
    """Print the address, and serve until the process is told to stop."""
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    async with await server.start(port):
        sys.stdout.write(f"{server.url}\n")
        sys.stdout.flush()
        await told.wait()


def main(server: StandIn) -> None:
    """Serve on ``--port`` (0 takes a free one)."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(server, parser.parse_args().port))
