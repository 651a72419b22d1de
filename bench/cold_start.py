"""Start of the program to its first answer on ``GET /api``, beside the import of LlamaIndex.

``python -m bench.cold_start [--runs 5]``; both are run in turn, medians are printed.
"""

import argparse
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from bench.measure import print_machine, print_table
from tests.e2e.program import APP, environment

DEADLINE_S = 60.0
PAUSE_S = 0.005
REQUEST = b"GET /api HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
BARE = (sys.executable, "-c", "pass")
IMPORT = (sys.executable, "-c", "import llama_index.core")


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


def start_s() -> float:
    """Seconds from starting the program in an empty folder to its first answer."""
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


def _until_answered(process: "subprocess.Popen[bytes]", port: int, began: float) -> float:
    while not answers(port):
        took = time.perf_counter() - began
        if process.poll() is not None or took > DEADLINE_S:
            raise SystemExit(f"the program did not answer within {took:.1f} s")
        time.sleep(PAUSE_S)
    return time.perf_counter() - began


def run_s(command: tuple[str, ...]) -> float:
    """Seconds that a command takes."""
    began = time.perf_counter()
    subprocess.run(command, check=True, timeout=DEADLINE_S)  # noqa: S603 - constants of this file
    return time.perf_counter() - began


WHAT: dict[str, Callable[[], float]] = {
    "python -c pass": lambda: run_s(BARE),
    "python -c 'import llama_index.core'": lambda: run_s(IMPORT),
    "start to first GET /api": start_s,
}


def main() -> None:
    """Measure and print; the first round only fills the disk cache."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    rounds = [[measure() for measure in WHAT.values()] for _ in range(runs + 1)][1:]
    medians = [median(column) * 1000 for column in zip(*rounds, strict=True)]
    imported = medians[1]
    print_machine()
    print_table(
        ("what", "median ms", "of the import"),
        [(name, ms, f"{ms / imported:.2f}") for name, ms in zip(WHAT, medians, strict=True)],
    )


if __name__ == "__main__":
    main()
