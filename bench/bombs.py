"""What replies, files and messages cost that want all of the program's memory or time.

``python -m bench.bombs [--only WORD]`` has the running program read each, while others read slow
answers, each piece of which tells when the model sent it. Bounds of the project: each bomb is given
up, or read, within 10 s, the program grows by at most 32 MB, and the 99th percentile of the others'
delays is at most 100 ms meanwhile. The exit code is 1 when that is not so.
"""

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory

import httpx

from bench.measure import KILO, cost, print_machine, print_table
from bench.stamps import StampServer
from bench.stream_clients import StreamClient, connect_all
from tests.e2e.client import Client
from tests.e2e.conftest import upstreams
from tests.e2e.program import Program
from tests.standins.bombs import BOMBS, DEEP, BombServer, docx_of, packed_pdf
from tests.standins.search_server import SearchServer
from tests.standins.website import PAGE, Website

MOST_S, MOST_MB, MOST_MS = 10.0, 32.0, 100.0
OTHERS = 20  # with 50 pieces a second each: at least 200 delays beside each bomb
SLOWLY = "[[fake answer tokens=20000 fault=pace seconds=0.02]]"
DEADLINE_S = 120.0
SETTLE_S = 0.5
AFTER_S = 0.25  # pieces sent so soon after a bomb count, too: some are over within a millisecond
HEADS = ("bomb", "came to", "s", "grown MB", "others' pieces", "p99 ms", "longest ms")
DEEP_LIST = "[" * DEEP + "]" * DEEP
DEEP_OBJECT = '{"a":' * DEEP + "1" + "}" * DEEP
SETTINGS = {
    "PERPLEXICA_LOG_LEVEL": "warning",
    "PERPLEXICA_LIMITS_TURN_S": "600",
    "PERPLEXICA_LIMITS_ANSWER_CHARS": "1000000",
}

Work = Callable[[Program], Awaitable[str]]


@dataclass(frozen=True)
class Row:
    """A bomb: what it came to, seconds and MB it took, seconds that others' pieces came late."""

    name: str
    came_to: str
    took_s: float
    grown_mb: float
    delays: list[float]

    @property
    def p99_ms(self) -> float:
        """The 99th percentile of the others' delays."""
        return quantiles(self.delays, n=100, method="inclusive")[-1] * 1000

    @property
    def is_bad(self) -> bool:
        """Whether a bound is broken."""
        is_over = self.took_s > MOST_S or self.grown_mb > MOST_MB or self.p99_ms > MOST_MS
        return is_over or "NO ANSWER" in self.came_to

    def line(self) -> tuple[object, ...]:
        """The figures in the order of ``HEADS``."""
        seen = len(self.delays), self.p99_ms, max(self.delays) * 1000
        return self.name, self.came_to, self.took_s, self.grown_mb, *seen


async def read_page(link: str, program: Program) -> str:
    """Why the answer says that the page could not be read."""
    async with Client.connect(program) as client:
        await client.ask(f"How tall is it in {link} ?", focusMode="webSearch")
        turn = await client.turn(DEADLINE_S)
    said = turn.text.partition("could not be read: ")[2].partition(".*")[0]
    return said or f"answered, {len(turn.sources)} sources"


async def upload(name: str, data: bytes, program: Program) -> str:
    """The status of the answer."""
    reply = await program.http.post(
        "/api/uploads", files=[("files", (name, data))], timeout=DEADLINE_S
    )
    return str(reply.status_code)


async def post(text: str, program: Program) -> str:
    """The status of the answer to that body."""
    headers = {"Content-Type": "application/json"}
    reply = await program.http.post("/api/search", content=text, headers=headers)
    return str(reply.status_code)


async def say(frame: str, program: Program) -> str:
    """The key of the refusal of that frame."""
    async with Client.connect(program) as client:
        await client.send(frame)
        return str((await client.refusal())["key"])


def works(server: BombServer) -> Mapping[str, Work]:
    """All that is tried."""
    return {
        **{name: partial(read_page, server.link(name)) for name in BOMBS},
        "docx of 500 MB": partial(upload, "a.docx", docx_of(500)),
        "PDF of 500 MB, uploaded": partial(upload, "a.pdf", packed_pdf(500, b" ")),
        "body of lists": partial(post, DEEP_LIST),
        "body of objects": partial(post, DEEP_OBJECT),
        "body, deep in its query": partial(post, f'{{"query":{DEEP_LIST}}}'),
        "body, deep in what is ignored": partial(post, f'{{"query":"x","x":{DEEP_LIST}}}'),
        "frame of lists": partial(say, DEEP_LIST),
        "frame of objects": partial(say, DEEP_OBJECT),
        "frame, deep in its history": partial(say, f'{{"type":"message","history":{DEEP_LIST}}}'),
        "frame, deep in what is ignored": partial(say, f'{{"type":"message","x":{DEEP_LIST}}}'),
    }


def forget_peak(pid: int) -> None:
    """Have the kernel count the process's largest size from now on."""
    Path(f"/proc/{pid}/clear_refs").write_text("5", "ascii")


def peak_kb(pid: int) -> int:
    """The largest size of the process since then."""
    lines = Path(f"/proc/{pid}/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


async def row(program: Program, others: list[StreamClient], name: str, work: Work) -> Row:
    """One bomb, and what it came to."""
    loop = asyncio.get_running_loop()
    if name in BOMBS:
        BOMBS[name].body()  # made now, and kept: that takes seconds, which are not the program's
        await asyncio.sleep(SETTLE_S)  # and have held up those who read here
    before = cost(program.pid).rss_kb
    forget_peak(program.pid)
    began = loop.time()
    try:
        came_to = await work(program)
    except (httpx.HTTPError, TimeoutError, AssertionError) as error:
        came_to = f"NO ANSWER: {type(error).__name__}"
    ended = loop.time()
    grown_mb = (peak_kb(program.pid) - before) / KILO
    await asyncio.sleep(SETTLE_S)  # what was sent meanwhile comes
    stamps = [stamp for other in others for stamp in other.delays]
    delays = [delay for sent, delay in stamps if began <= sent < ended + AFTER_S]
    return Row(name, came_to, ended - began, grown_mb, delays)


async def measure(only: str, folder: Path) -> list[Row]:
    """A row for each, after harmless documents that load the libraries."""
    async with (
        StampServer() as models,
        SearchServer() as search,
        Website() as site,
        BombServer() as server,
        Program(folder, **upstreams(models, search), **SETTINGS) as program,
    ):
        for path in ("/", "/page.pdf", "/long"):
            await read_page(f"{site.url}{path}", program)
        await upload("a.html", PAGE, program)
        others = await connect_all(program, [f"How slowly {n}? {SLOWLY}" for n in range(OTHERS)])
        tried = {name: work for name, work in works(server).items() if only in name}
        return [await row(program, others, name, work) for name, work in tried.items()]


def main() -> None:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default="", help="a word of the bombs' names")
    with TemporaryDirectory() as folder:
        rows = asyncio.run(measure(parser.parse_args().only, Path(folder)))
    print_machine()
    print_table(HEADS, [row.line() for row in rows])
    sys.exit(any(row.is_bad for row in rows))


if __name__ == "__main__":
    main()
