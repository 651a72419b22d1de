"""A process that reads documents: ``python -m retrieval.workshop.worker DESCRIPTOR``.

It has no secrets in its environment and nothing open but one socket, reads one document after the
other, and ends when the other side of the socket is gone.
"""

import os
import resource
import socket
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from protocol.errors import FileRefused, FileUnreadable, PageUnreadable
from retrieval.library.reader import DocumentReader
from retrieval.pages.content import PageContent
from retrieval.uploads import read_upload
from retrieval.workshop.jobs import (
    JOBS,
    Done,
    FileRead,
    Job,
    PageRead,
    ReadFile,
    ReadPage,
    Refused,
    receive,
    send,
)

MEMORY_BYTES = 2 * 1024**3  # of address space, most of which libraries reserve and never use
CPU_S = 900  # in all; one document has a deadline of its own
NICENESS = 5  # answers go before documents


class Worker:
    """Reads what a job names."""

    def __init__(self) -> None:
        self._reader = DocumentReader()

    def do(self, job: Job, descriptors: list[int]) -> Done:
        """The outcome of a job; a document that breaks the reader ends the process."""
        try:
            return _DOERS[type(job)](self, job, descriptors)
        except PageUnreadable as error:
            return Refused("PageUnreadable", error.detail)
        except (FileRefused, FileUnreadable) as error:
            return Refused(type(error).__name__, error.problem)

    def read_page(self, job: ReadPage, _descriptors: list[int]) -> PageRead:
        """The page of a job."""
        content = PageContent(self._reader, most_bytes=job.most_bytes)
        return PageRead(content.read(job.fetched))

    def read_file(self, job: ReadFile, descriptors: list[int]) -> FileRead:
        """The passages of the file that came with a job."""
        with os.fdopen(descriptors[0], "rb") as file:
            return FileRead(tuple(read_upload(file, job.name, self._reader)))


_DOERS: Mapping[type, Callable[[Worker, Any, list[int]], Done]] = {
    ReadPage: Worker.read_page,
    ReadFile: Worker.read_file,
}


def limit() -> None:
    """Bound what the process may take; a hostile document then ends it, and nothing else."""
    for kind, most in ((resource.RLIMIT_AS, MEMORY_BYTES), (resource.RLIMIT_CPU, CPU_S)):
        _, hard = resource.getrlimit(kind)
        bound = most if hard == resource.RLIM_INFINITY else min(most, hard)
        with suppress(ValueError, OSError):  # some systems know the limit but do not let it be set
            resource.setrlimit(kind, (bound, hard))
    os.nice(NICENESS)


def main(descriptor: int) -> None:
    """Read until the other side is gone."""
    limit()
    worker = Worker()
    with socket.socket(fileno=descriptor) as peer, suppress(ConnectionError):
        while True:
            job, descriptors = receive(peer, JOBS)
            send(peer, worker.do(job, descriptors))


if __name__ == "__main__":
    main(int(sys.argv[1]))
