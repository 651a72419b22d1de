"""Start of the program to its first answer on ``GET /api``, beside what it stands on.

``python -m bench.cold_start [--runs 5]``: Python alone, the import of LlamaIndex, the bare relay to
its address and the program to its answer are run in turn.
"""

import argparse
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import NamedTuple

from bench.measure import cpu_ms_of, print_machine, print_table, spread
from tests.e2e.program import APP, environment

DEADLINE_S = 60.0
PAUSE_S = 0.005
REQUEST = b"GET /api HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
BARE = (sys.executable, "-c", "print(flush=True); input()")
IMPORT = (sys.executable, "-c", "import llama_index.core; print(flush=True); input()")
RELAY = (sys.executable, "-m", "bench.relay", "http://127.0.0.1:9")


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def answers(port: int) -> bool:
    """Whether ``GET /api`` is answered with 200."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(REQUEST)
            return connection.recv(64).startswith(b"HTTP/1.1 200")
    except OSError:
        return False


class Took(NamedTuple):
    """Wall and CPU time in ms."""

    wall_ms: float
    cpu_ms: float


def start() -> Took:
    """From starting the program in an empty folder to its first answer."""
    port = free_port()
    with TemporaryDirectory() as folder:
        place = Path(folder)
        began = time.perf_counter()
        process = subprocess.Popen(  # noqa: S603 - our own program, arguments of our own
            (sys.executable, str(APP), "--port", str(port)),
            cwd=place,
            env=environment(place, {}),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            return _until_answered(process, port, began)
        finally:
            process.terminate()
            process.wait(DEADLINE_S)


def _until_answered(process: "subprocess.Popen[bytes]", port: int, began: float) -> Took:
    while not answers(port):
        took = time.perf_counter() - began
        if process.poll() is not None or took > DEADLINE_S:
            raise SystemExit(f"the program did not answer within {took:.1f} s")
        time.sleep(PAUSE_S)
    return Took((time.perf_counter() - began) * 1000, cpu_ms_of(process.pid))


def run(command: tuple[str, ...]) -> Took:
    """What a command takes until it has printed a line or ended."""
    began = time.perf_counter()
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:  # noqa: S603 - of this file
        assert process.stdout
        process.stdout.readline()
        took = Took((time.perf_counter() - began) * 1000, cpu_ms_of(process.pid))
        process.terminate()
    return took


WHAT: dict[str, Callable[[], Took]] = {
    "python -c pass": partial(run, BARE),
    "import llama_index.core": partial(run, IMPORT),
    "bare relay to its address": partial(run, RELAY),
    "program to its first GET /api": start,
}


def main() -> None:
    """Measure and print; the first round only fills the disk cache."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    rounds = [[measure() for measure in WHAT.values()] for _ in range(runs + 1)][1:]
    imported = median(took.wall_ms for took in (of_round[1] for of_round in rounds))
    print_machine()
    rows = [
        (
            name,
            spread([t.wall_ms for t in took]),
            spread([t.cpu_ms for t in took]),
            median(t.wall_ms for t in took) / imported,
        )
        for name, took in zip(WHAT, zip(*rounds, strict=True), strict=True)
    ]
    print_table(("what", "ms", "CPU ms", "of the import"), rows)


if __name__ == "__main__":
    main()
