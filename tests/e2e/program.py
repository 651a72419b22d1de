"""The real program as a process of its own: started on a free port, watched, stopped in time."""

import asyncio
import contextlib
import json
import os
import re
import signal
import sys
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import httpx

from tests.e2e.canary import check, check_reply

APP = Path(__file__).parents[2] / "app.py"
ADDRESS = re.compile(r"http://127\.0\.0\.1:(\d+)")
START_S = 15.0
STOP_S = 20.0
KEPT_LINES = 20_000


class DidNotStart(Exception):
    """The program ended, or did not name its address in time; says what it printed."""


def environment(folder: Path, settings: dict[str, str]) -> dict[str, str]:
    """A clean environment: nothing of this machine but where its commands are."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "PERPLEXICA_DATA_DIR": str(folder / "data"),
        "PERPLEXICA_LOG_FORMAT": "json",
        "PERPLEXICA_SEARCH_BACKENDS": "searxng,library",
        "PERPLEXICA_FETCH_ALLOW": "127.0.0.0/8",  # where our stand-ins are
        **settings,
    }


async def spawn(
    folder: Path,
    *args: str,
    settings: dict[str, str] | None = None,
    within: Sequence[str] = (),
    stdin: int = asyncio.subprocess.DEVNULL,
) -> asyncio.subprocess.Process:
    """The program with these arguments, in ``folder``; without ``settings`` as if on its own.

    ``within`` is a command that runs the one after it, under some restraint.
    """
    return await asyncio.create_subprocess_exec(
        *within,
        sys.executable,
        str(APP),
        *args,
        cwd=folder,
        env=environment(folder, settings or {}),
        stdin=stdin,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=2**22,
    )


@dataclass(frozen=True)
class Ended:
    """What a run of the program came to."""

    code: int
    out: str
    err: str


async def run(
    folder: Path,
    *args: str,
    settings: dict[str, str] | None = None,
    within: Sequence[str] = (),
    deadline_s: float = START_S,
    typed: str = "",
) -> Ended:
    """Run the program to its end; raises TimeoutError (and kills it) when that takes longer.

    ``typed`` is what it reads from its standard input.
    """
    stdin = asyncio.subprocess.PIPE
    process = await spawn(folder, *args, settings=settings, within=within, stdin=stdin)
    try:
        out, err = await asyncio.wait_for(process.communicate(typed.encode()), deadline_s)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    return Ended(process.returncode or 0, out.decode(), err.decode())


class Program:
    """A server that runs; ``async with Program(folder, **settings) as program``.

    ``within`` is a command that runs the one after it, in its place.
    """

    def __init__(
        self, folder: Path, *args: str, within: Sequence[str] = (), **settings: str
    ) -> None:
        self.folder = folder
        self.http: httpx.AsyncClient
        self.port = 0
        self._args = ("--port", "0", *args)
        self._settings = settings
        self._within = within
        self._process: asyncio.subprocess.Process
        self._lines: deque[str] = deque(maxlen=KEPT_LINES)
        self._pumps: list[asyncio.Task[None]] = []
        self._logged = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._process = await spawn(
            self.folder, *self._args, settings=self._settings, within=self._within
        )
        told: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._pumps = [
            asyncio.create_task(self._listen(told)),
            asyncio.create_task(self._log()),
        ]
        try:
            self.port = await asyncio.wait_for(told, START_S)
        except (TimeoutError, EOFError) as error:
            await self.stop()
            raise DidNotStart(self.log_text()) from error
        hooks = {"response": [check_reply]}
        self.http = httpx.AsyncClient(
            base_url=self.url, timeout=10, trust_env=False, event_hooks=hooks
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.http.aclose()
        await self.stop()
        check("a log", self.log_text())

    @property
    def url(self) -> str:
        """Where HTTP is served."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    def count(self, what: str) -> int:
        """How many file descriptors (``fd``) or threads (``task``) the process has."""
        return sum(1 for _ in Path(f"/proc/{self.pid}/{what}").iterdir())

    async def stop(self) -> int:
        """Ask it to stop, insist after ``STOP_S``; its exit code (negative: it was killed)."""
        self.signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self._process.wait(), STOP_S)
        except TimeoutError:
            self.signal(signal.SIGKILL)
        code = await self._process.wait()
        await asyncio.gather(*self._pumps)
        return code

    def kill(self) -> None:
        """End it on the spot, as a power cut would."""
        self.signal(signal.SIGKILL)

    async def ended(self) -> int:
        """Its exit code, once it has ended by itself; raises TimeoutError."""
        return await asyncio.wait_for(self._process.wait(), STOP_S)

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal; one that has ended gets none."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(number)

    def log_text(self) -> str:
        """All that was printed to both outputs, for a failure's report."""
        return "\n".join(self._lines)

    def log_lines(self) -> list[dict[str, Any]]:
        """The log so far: its JSON lines."""
        return [json.loads(line) for line in self._lines if line.startswith("{")]

    async def logged(
        self, event: str, *, times: int = 1, deadline_s: float = START_S, **facts: str
    ) -> None:
        """Return once the event has been logged so often with these facts; or TimeoutError."""
        wanted = {"event": event, **facts}.items()
        async with asyncio.timeout(deadline_s):
            while sum(wanted <= line.items() for line in self.log_lines()) < times:
                self._logged.clear()
                await self._logged.wait()

    async def json(self, path: str) -> Any:
        """What a GET of that path answers; raises on an error status."""
        reply = await self.http.get(path)
        return reply.raise_for_status().json()

    async def messages(self, chat_id: str, *, at_least: int = 0) -> list[dict[str, Any]]:
        """A chat's messages as the web UI gets them, once there are that many.

        An answer whose client has left has no frame to wait for, so the route is asked again and
        again; raises TimeoutError after 10 s.
        """
        async with asyncio.timeout(10):
            while True:
                reply = await self.http.get(f"/api/chats/{chat_id}")
                rows: list[dict[str, Any]] = reply.json().get("messages", [])
                if len(rows) >= at_least:
                    return [row | {"metadata": json.loads(row["metadata"])} for row in rows]

    async def _listen(self, told: "asyncio.Future[int]") -> None:
        """Read what is printed, and tell the port as soon as it is named."""
        assert self._process.stdout
        async for line in self._process.stdout:
            text = line.decode(errors="replace").rstrip()
            self._lines.append(text)
            if (found := ADDRESS.search(text)) and not told.done():
                told.set_result(int(found[1]))
        if not told.done():
            told.set_exception(EOFError())

    async def _log(self) -> None:
        assert self._process.stderr
        async for line in self._process.stderr:
            self._lines.append(line.decode(errors="replace").rstrip())
            self._logged.set()
