"""Has documents read by other processes, so that none of them can hold up or break this one."""

import socket
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path
from typing import BinaryIO

import msgspec
import structlog

from protocol.errors import FileRefused, FileUnreadable, PageUnreadable
from protocol.offload import Offload
from retrieval.library.passages import Passage
from retrieval.pages.content import Page
from retrieval.pages.fetcher import Fetched
from retrieval.workshop.jobs import (
    DONE,
    Done,
    FileRead,
    Job,
    PageRead,
    ReadFile,
    ReadPage,
    receive,
    send,
)
from retrieval.workshop.jobs import Refused as NotRead
from upstreams.places import Places

log = structlog.get_logger(__name__)

ROOT = Path(__file__).parents[2]
AT_ONCE = 3
DOCUMENTS = 100  # that one process reads before another takes its place: libraries leak
LAST_S = 1.0  # for a process to end by itself
BROKE = "it broke the reader, or takes too much time or memory to read"


class Process:
    """One reading process; its methods block, and one thread at a time may use it."""

    def __init__(self) -> None:
        """Start it; it is ready when it has loaded what it needs, and jobs wait for that."""
        ours, theirs = socket.socketpair()
        command = [sys.executable, "-s", "-m", "retrieval.workshop.worker", str(theirs.fileno())]
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - our own module
                command,
                pass_fds=[theirs.fileno()],
                env={"PYTHONPATH": str(ROOT), "LANG": "C.UTF-8", "PATH": ""},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # the terminal's Ctrl-C is for the program
            )
        self._socket = ours
        log.debug("reader.started", pid=self.pid)
        self.documents = 0

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    def do(self, job: Job, *descriptors: int, within_s: float) -> Done | None:
        """The outcome of a job; ``None`` when the process has broken over it, and is of no use."""
        self.documents += 1
        self._socket.settimeout(within_s)
        try:
            send(self._socket, job, *descriptors)
            done, _ = receive(self._socket, DONE)
        except (OSError, msgspec.MsgspecError):
            return None
        return done

    def kill(self) -> None:
        """End it on the spot; whoever uses it hears that it has broken."""
        self._process.kill()

    def close(self, *, at_once: bool = False) -> None:
        """End it: by closing its socket, else, or ``at_once``, by force."""
        self._socket.close()
        if not at_once:
            try:
                self._process.wait(LAST_S)
            except subprocess.TimeoutExpired:
                log.warning("reader.killed", pid=self.pid)
        self._process.kill()
        self._process.wait()


class Workshop:
    """Reads pages and files side by side, each within its seconds; starts processes as needed."""

    def __init__(self, offload: Offload, *, page_s: float, file_s: float) -> None:
        self._places = Places(offload, AT_ONCE)
        self._page_s = page_s
        self._file_s = file_s
        self._idle: list[Process] = []
        self._busy: set[Process] = set()
        self._lock = threading.Lock()
        self._is_closed = False

    async def read_page(self, fetched: Fetched, most_bytes: int) -> Page:
        """The page that was fetched; raises PageUnreadable."""
        done = await self._places(partial(self._do, ReadPage(fetched, most_bytes), self._page_s))
        if isinstance(done, PageRead):
            return done.page
        raise PageUnreadable(done.problem if isinstance(done, NotRead) else BROKE)

    async def read_file(self, file: BinaryIO, name: str) -> list[Passage]:
        """The passages of a file, at least one; raises FileRefused and FileUnreadable."""
        done = await self._places(partial(self._do, ReadFile(name), self._file_s, file.fileno()))
        if isinstance(done, FileRead):
            return list(done.passages)
        if isinstance(done, NotRead) and done.error == FileRefused.__name__:
            raise FileRefused(name, done.problem)
        raise FileUnreadable(name, done.problem if isinstance(done, NotRead) else BROKE)

    def close(self) -> None:
        """End all processes, also those that are reading."""
        with self._lock:
            self._is_closed = True
            idle, self._idle = self._idle, []
            for process in self._busy:
                process.kill()  # whoever waits for it is told, and closes it
        for process in idle:
            process.close()

    def _do(self, job: Job, within_s: float, *descriptors: int) -> Done | None:
        process = self._taken()
        done = process.do(job, *descriptors, within_s=within_s)
        if done is None:
            log.warning("reader.broken", job=type(job).__name__.lower(), pid=process.pid)
        with self._lock:
            self._busy.discard(process)
            is_kept = done is not None and process.documents < DOCUMENTS and not self._is_closed
            if is_kept:
                self._idle.append(process)
        if not is_kept:
            process.close(at_once=done is None)
        return done

    def _taken(self) -> Process:
        with self._lock:
            process = self._idle.pop() if self._idle else Process()
            self._busy.add(process)
            if self._is_closed:
                process.kill()
        return process
