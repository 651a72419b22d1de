"""What an upload costs the server: how long its event loop is held, and how much it grows.

``python -m bench.uploads`` serves in this process, with a probe beside it, and has each file sent
by a process of its own. Bounds of the project: 50 ms held at a time, 150 MB of growth.
"""

import asyncio
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import httpx

from bench.measure import KILO, cost, print_machine, print_table
from bench.pages import SENTENCE, held_s, pdf_of
from program import Program
from protocol.settings import General, Search, Settings
from transport.server import serve

MEGABYTE = 1_000_000
DEADLINE_S = 300.0


def text_of(megabytes: int) -> bytes:
    """Numbered sentences."""
    lines = (f"Line {n}. {SENTENCE}\n".encode() for n in range(megabytes * MEGABYTE // 1500))
    return b"".join(lines)


def table_of(megabytes: int) -> bytes:
    """Rows of a table."""
    rows = (f"{n},harbour {n},{n * 7 % 97} metres,copper and stone\n" for n in _count(megabytes))
    return b"number,name,height,made of\n" + "".join(rows).encode()


def page_of(megabytes: int) -> bytes:
    """A page of many paragraphs."""
    told = "".join(f"<p>Part {n}. {SENTENCE}</p>" for n in range(megabytes * MEGABYTE // 1500))
    return f"<html><head><title>Long</title></head><body>{told}</body></html>".encode()


def _count(megabytes: int) -> Iterator[int]:
    return iter(range(megabytes * MEGABYTE // 45))


FILES: Mapping[str, Callable[[], bytes]] = {
    "small.txt": SENTENCE.encode,
    "300 pages.pdf": lambda: pdf_of(300),
    "30 MB.txt": lambda: text_of(30),
    "30 MB.csv": lambda: table_of(30),
    "30 MB.html": lambda: page_of(30),
    "30 MB.pdf": lambda: pdf_of(300) + b"\n%" + b"x" * 30 * MEGABYTE,
}


def send(url: str, path: Path) -> int:
    """Send a file as a browser does; the status of the answer."""
    with path.open("rb") as file:
        form = {"files": (path.name, file, "application/octet-stream")}
        reply = httpx.post(url, files=form, timeout=DEADLINE_S, trust_env=False)
    return reply.status_code


async def row(url: str, path: Path) -> tuple[object, ...]:
    """One file: status, seconds, milliseconds the loop was held, megabytes of growth."""
    before = cost(os.getpid()).rss_kb
    loop, done = asyncio.get_running_loop(), asyncio.Event()
    probe = asyncio.create_task(held_s(done))
    peak = asyncio.create_task(_peak_kb(done))
    began = loop.time()
    client = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.uploads", url, str(path), stdout=asyncio.subprocess.PIPE
    )
    out, _ = await asyncio.wait_for(client.communicate(), DEADLINE_S)
    took_s = loop.time() - began
    done.set()
    grown = (await peak - before) / KILO
    return path.name, out.decode().strip(), took_s, await probe * 1000, grown


async def _peak_kb(done: asyncio.Event) -> int:
    most = 0
    while not done.is_set():
        most = max(most, cost(os.getpid()).rss_kb)
        await asyncio.sleep(0.02)
    return most


async def main() -> None:
    """Send each file once, after a first one that loads the libraries."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for title, make in FILES.items():
            (folder / title).write_bytes(make())
        settings = Settings(
            general=General(port=0, data_dir=str(folder / "data"), log_level="error"),
            search=Search(backends=("library",)),
        )
        async with Program(settings) as program:
            server = await serve(settings, program.services(), program.staff.converse)
            program.prepare()
            url = f"{server.url}/api/uploads"
            await row(url, folder / "small.txt")
            rows = [await row(url, folder / title) for title in FILES]
            await server.close()
    print_machine()
    print_table(("file", "status", "s", "loop held ms", "grown MB"), rows)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(send(sys.argv[1], Path(sys.argv[2])))
    else:
        asyncio.run(main())
