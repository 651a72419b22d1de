"""Documents are read by processes of their own: what breaks one breaks nothing else."""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import pytest

from protocol.errors import FileRefused, FileUnreadable, PageUnreadable
from retrieval.pages.fetcher import Fetched
from retrieval.workshop.jobs import PageRead, ReadPage
from retrieval.workshop.workshop import DOCUMENTS, Process, Workshop
from tests.retrieval.documents import docx, paragraph, pdf
from tests.retrieval.fakes import in_thread
from tests.standins.bombs import deep_pdf, packed, packed_pdf, pdf_of
from tests.standins.website import PAGE

MOST = 1_000_000
DEEP = b"<div>" * 100_000 + b"deep" + b"</div>" * 100_000
WORDS = "The tower is high."
GOOD = Fetched(PAGE, "text/html")
KINDS = {"a.txt": WORDS.encode(), "a.pdf": pdf(WORDS), "a.docx": docx(paragraph(WORDS))}
NAMES = {"PYTHONPATH", "LANG", "PATH"}
HOSTILE = {
    "deep": DEEP,
    "attributes": b"<p " + b"a=b " * 100_000 + b">",
    "links": b"<a href=http://a.example/b>c</a>" * 20_000,
    "tables": b"<table>" * 20_000,
    "comments": b"<!--" * 100_000,
    "PDF, deep": deep_pdf(),
    "PDF, packed": packed_pdf(100, b" "),
    "PDF, many pages": pdf_of(packed(15, 1), kids=b"3 0 R " * 2_000),
    "PDF, brackets": b"%PDF-1.4\n1 0 obj" + b"[" * 500_000,
}


@asynccontextmanager
async def workshop(page_s: float = 20, file_s: float = 20) -> AsyncIterator[Workshop]:
    """A workshop that is closed in the end."""
    made = Workshop(in_thread, page_s=page_s, file_s=file_s)
    try:
        yield made
    finally:
        made.close()


def on_disk(data: bytes) -> BinaryIO:
    """A file without a name, as uploads are."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the test's end closes it
    file.write(data)
    file.flush()
    return file


def children() -> set[int]:
    """The processes below this one, whichever thread has started them."""
    found = (task / "children" for task in Path("/proc/self/task").iterdir())
    texts = [path.read_text("ascii") for path in found if path.exists()]
    return {int(pid) for text in texts for pid in text.split()}


async def test_pages_and_files_are_read_elsewhere() -> None:
    """By one process, which stays for the next."""
    before = children()
    async with workshop() as shop:
        page = await shop.read_page(GOOD, MOST)
        assert page.title == "Tides & lighthouses"
        started = children() - before
        for name, data in KINDS.items():
            with on_disk(data) as file:
                passages = await shop.read_file(file, name)
            assert WORDS in " ".join(passage.text for passage in passages)
        assert len(started) == 1
        assert children() - before == started
    assert not children() & started


async def test_refusals_are_those_of_the_reader() -> None:
    """With their kinds and problems."""
    async with workshop() as shop:
        with pytest.raises(PageUnreadable, match="no text"):
            await shop.read_page(Fetched(b"<p></p>", "text/html"), MOST)
        with on_disk(b"text") as file, pytest.raises(FileRefused, match="no pdf file"):
            await shop.read_file(file, "a.pdf")
        with (
            on_disk(b"%PDF-1.4 broken") as file,
            pytest.raises(FileUnreadable, match="no readable"),
        ):
            await shop.read_file(file, "a.pdf")


async def test_what_takes_too_long_is_given_up_and_the_next_is_read() -> None:
    """Its process is ended by force."""
    async with workshop(page_s=0.01) as shop:
        with pytest.raises(PageUnreadable, match="too much time"):
            await shop.read_page(Fetched(DEEP, "text/html"), MOST)
        with on_disk(WORDS.encode()) as file:
            assert await shop.read_file(file, "a.txt")


async def test_process_that_dies_costs_its_own_document() -> None:
    """Whoever waited for it is told, the next one gets a new process."""
    before = children()
    async with workshop() as shop:
        with on_disk(WORDS.encode()) as file:
            await shop.read_file(file, "a.txt")
            (pid,) = children() - before
            os.kill(pid, 9)
            with pytest.raises(FileUnreadable, match="broke the reader"):
                await shop.read_file(file, "a.txt")
            assert await shop.read_file(file, "a.txt")


@pytest.mark.parametrize("case", HOSTILE)
async def test_page_after_a_hostile_one_is_read(case: str) -> None:
    """Whether that is read or refused."""
    async with workshop(page_s=8) as shop:
        with suppress(PageUnreadable):
            await shop.read_page(Fetched(HOSTILE[case], "text/html"), MOST)
        assert (await shop.read_page(GOOD, MOST)).pieces


async def test_closing_ends_those_that_read() -> None:
    """The end of the program waits for no document."""
    async with workshop() as shop:
        reading = asyncio.ensure_future(shop.read_page(Fetched(DEEP, "text/html"), MOST))
        await asyncio.sleep(0)
        await in_thread(shop.close)
        with pytest.raises(PageUnreadable):
            await reading


async def test_process_is_replaced_after_many_documents() -> None:
    """Libraries leak."""
    before = children()
    async with workshop() as shop:
        with on_disk(WORDS.encode()) as file:
            await shop.read_file(file, "a.txt")
            first = children() - before
            for _ in range(DOCUMENTS):
                await shop.read_file(file, "a.txt")
        assert len(children() - before) == 1
        assert not children() & first


def test_process_knows_nothing_of_ours() -> None:
    """Neither our environment nor our descriptors."""
    process = Process()
    try:
        assert isinstance(process.do(ReadPage(GOOD, MOST), within_s=20), PageRead)
        place = Path(f"/proc/{process.pid}")
        environ = place.joinpath("environ").read_text("utf-8").split("\0")
        assert {entry.partition("=")[0] for entry in environ if entry} == NAMES
        open_files = [str(link.readlink()) for link in place.joinpath("fd").iterdir()]
        assert len([name for name in open_files if name.startswith("socket")]) == 1
    finally:
        process.close()


def test_process_ends_by_itself_when_we_are_gone() -> None:
    """Its socket says so; nobody has to stop it."""
    process = Process()
    process.do(ReadPage(GOOD, MOST), within_s=20)
    process._socket.close()
    assert process._process.wait(10) == 0
