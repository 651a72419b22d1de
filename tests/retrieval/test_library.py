"""A folder of documents as a search backend."""

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from protocol.errors import SearchUnavailable
from protocol.values import Node
from retrieval.library.backend import LibraryBackend, Shelf
from retrieval.library.folder import Folder
from retrieval.library.index import Index
from retrieval.library.reader import DocumentReader
from tests.retrieval.fakes import in_thread, run_at_once

ACTORS = """# Actors
A session actor sends a message to the searcher and waits for its reply. Each actor has one mailbox;
the best way to stop a running actor is to tell it so.

## Supervision
The supervisor restarts an actor that failed.
"""
TOWERS = "The lighthouse of Fakeport is the tallest tower in Europe.\n"


class Clock:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Seconds since the start."""
        return self.now


class Library:
    """A folder with its backend."""

    def __init__(self, root: Path, file: Path | None = None, **limits: Any) -> None:
        self.root = root
        self.clock = Clock()
        reader = DocumentReader()
        folder = Folder(root, endings=reader.endings, **limits)
        self.index = Index(folder.root, file)
        self.backend = LibraryBackend(
            "library", Shelf(folder, self.index, reader), run_at_once, clock=self.clock
        )

    def write(self, name: str, text: str | bytes) -> None:
        """Put a document in the folder."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)

    async def find(self, question: str, *, later_s: float = 10) -> list[Node]:
        """What the library finds, some seconds after the last time."""
        self.clock.now += later_s
        return await self.backend.search(question, engines=(), language="en")

    async def urls(self, question: str, *, later_s: float = 10) -> list[str]:
        """Addresses of what it finds."""
        return [node.url for node in await self.find(question, later_s=later_s)]


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """An empty folder, indexed in memory."""
    (tmp_path / "docs").mkdir()
    return Library(tmp_path / "docs")


async def test_passages_tell_where_they_stand(library: Library) -> None:
    """Title from the headings, address relative to the folder, never a path of the machine."""
    library.write("guide/my actors.md", ACTORS)
    (found,) = await library.find("Who restarts a failed actor, the supervisor?")
    assert found.title == "Actors / Supervision"
    assert found.url == "guide/my%20actors.md#supervision"
    assert found.score is not None


@pytest.mark.parametrize(
    "question",
    [
        "What is the tallest lighthouse in Europe?",
        "How tall is the lighthouse?",
        "lighthouse",
        "What is the best way to stop a running nose?",
        "Who wrote Hamlet?",
        "how does it work",
        "is it",
        "",
        "?!",
        "\u6771\u4eac\u5854\u6709\u591a\u9ad8",
    ],
)
async def test_a_question_about_something_else_finds_nothing(
    library: Library, question: str
) -> None:
    """A fair share of the question's content words must be met."""
    library.write("actors.md", ACTORS)
    assert await library.urls(question) == []


@pytest.mark.parametrize(
    "question",
    [
        "How does a session actor talk to the searcher?",
        "What do SESSIONS send?",
        "searcher",
        "explain the searcher's reply to me please",
    ],
)
async def test_a_question_about_the_documents_finds_them(library: Library, question: str) -> None:
    """Forms of words do not matter, nor do words that belong to asking."""
    library.write("actors.md", ACTORS)
    library.write("towers.txt", TOWERS)
    assert await library.urls(question) == ["actors.md#actors"]


@pytest.mark.parametrize(
    "question",
    [
        'tower" OR text:*',
        "tower AND NOT lighthouse NEAR(",
        "^tower* {lighthouse}",
        "title:tower -lighthouse",
        "tower; DROP TABLE passage",
        "tower \x00 lighthouse",
        "tower " * 5000,
    ],
)
async def test_the_query_language_cannot_be_reached(library: Library, question: str) -> None:
    """Whatever a question holds, it is looked for as words."""
    library.write("towers.txt", TOWERS)
    await library.find(question)
    assert await library.urls("lighthouse tower") == ["towers.txt"]


async def test_changes_are_seen_after_a_while(library: Library) -> None:
    """New, changed and removed documents count at a search at least some seconds later."""
    assert await library.urls("lighthouse") == []
    library.write("towers.txt", TOWERS)
    assert await library.urls("lighthouse", later_s=1) == []
    assert await library.urls("lighthouse") == ["towers.txt"]
    library.write("towers.txt", "Only a windmill is left there.\n")
    assert await library.urls("lighthouse") == []
    assert await library.urls("windmill") == ["towers.txt"]
    (library.root / "towers.txt").unlink()
    assert await library.urls("windmill") == []


async def test_bad_files_do_not_hide_good_ones(library: Library) -> None:
    """Binary, empty, unreadable and special files are passed over."""
    library.write("towers.txt", TOWERS)
    library.write("binary.txt", b"\x00lighthouse")
    library.write("broken.pdf", b"lighthouse")
    library.write("empty.md", b"")
    library.write("picture.png", b"lighthouse")
    library.write(".hidden.md", "lighthouse")
    library.write(".git/x.md", "lighthouse")
    library.write("node_modules/x.md", "lighthouse")
    os.mkfifo(library.root / "pipe.txt")
    (library.root / "folder.md").mkdir()
    assert await library.urls("lighthouse") == ["towers.txt"]


async def test_large_and_many_files_are_bounded(tmp_path: Path) -> None:
    """Files over the limit are not read, and only so many are indexed."""
    library = Library(tmp_path, most_bytes=200, most_files=2)
    for name in ("a.txt", "b.txt", "c.txt"):
        library.write(name, f"lighthouse {name[0] * 5}")
    library.write("0.txt", "lighthouse " * 100)
    assert sorted(await library.urls("lighthouse")) == ["a.txt", "b.txt"]


async def test_links_do_not_lead_out(tmp_path: Path) -> None:
    """A link to a file or folder elsewhere is not followed; one within the folder is."""
    (tmp_path / "secret.txt").write_text("lighthouse secret")
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "s.txt").write_text("lighthouse secret")
    library = Library(tmp_path / "docs")
    library.write("towers.txt", TOWERS)
    (library.root / "out.txt").symlink_to(tmp_path / "secret.txt")
    (library.root / "out").symlink_to(tmp_path / "secrets")
    (library.root / "loop").symlink_to(library.root)
    (library.root / "inner.txt").symlink_to(library.root / "towers.txt")
    assert sorted(await library.urls("lighthouse")) == ["inner.txt", "towers.txt"]


def test_a_file_swapped_for_a_link_is_not_read(tmp_path: Path) -> None:
    """What was a document when it was listed may be a link out when it is read."""
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.txt").symlink_to(tmp_path / "secret.txt")
    folder = Folder(tmp_path / "docs", endings=frozenset({".txt"}))
    assert folder.read("a.txt") is None
    assert folder.read("../secret.txt") is None


async def test_a_missing_folder_is_search_unavailable(tmp_path: Path) -> None:
    """The next backend is asked then; when the folder is there again, it is used."""
    library = Library(tmp_path / "docs")
    with pytest.raises(SearchUnavailable, match="folder"):
        await library.find("lighthouse")
    library.write("towers.txt", TOWERS)
    assert await library.urls("lighthouse", later_s=0) == ["towers.txt"]


async def test_the_index_outlives_the_process(tmp_path: Path) -> None:
    """A second start reads no document again."""
    first = Library(tmp_path / "docs", tmp_path / "data" / "library.sqlite")
    first.write("towers.txt", TOWERS)
    await first.find("lighthouse")
    await first.backend.close()
    second = Library(tmp_path / "docs", tmp_path / "data" / "library.sqlite")
    assert set(second.index.stamps()) == {"towers.txt"}
    assert await second.urls("lighthouse") == ["towers.txt"]


@pytest.mark.parametrize("content", [b"not a database, but long enough" * 100, b"", b"SQLite"])
async def test_a_damaged_index_is_made_anew(tmp_path: Path, content: bytes) -> None:
    """The file is only a copy of the folder."""
    file = tmp_path / "library.sqlite"
    file.write_bytes(content)
    library = Library(tmp_path / "docs", file)
    library.write("towers.txt", TOWERS)
    assert await library.urls("lighthouse") == ["towers.txt"]


async def test_an_index_damaged_while_in_use_heals(tmp_path: Path) -> None:
    """One search fails; then the index is made anew."""
    file = tmp_path / "library.sqlite"
    library = Library(tmp_path / "docs", file)
    library.write("towers.txt", TOWERS * 2000)
    await library.find("lighthouse")
    library.index.close()
    data = file.read_bytes()
    file.write_bytes(data[:4096] + b"\xee" * (len(data) - 4096))
    for _ in range(2):
        try:
            found = await library.urls("lighthouse")
        except SearchUnavailable:
            found = []
    assert set(found) == {"towers.txt"}


async def test_an_index_of_another_folder_is_not_used(tmp_path: Path) -> None:
    """The data folder may stay when the library's folder changes."""
    file = tmp_path / "library.sqlite"
    first = Library(tmp_path / "one", file)
    first.write("towers.txt", TOWERS)
    await first.find("lighthouse")
    await first.backend.close()
    second = Library(tmp_path / "two", file)
    second.write("actors.md", ACTORS)
    assert await second.urls("lighthouse") == []


async def test_a_place_that_cannot_be_written_is_search_unavailable(tmp_path: Path) -> None:
    """The index file is a folder."""
    (tmp_path / "library.sqlite").mkdir()
    library = Library(tmp_path / "docs", tmp_path / "library.sqlite")
    library.write("towers.txt", TOWERS)
    with pytest.raises(SearchUnavailable, match="index"):
        await library.find("lighthouse")


async def test_searches_at_once_share_one_refresh(tmp_path: Path) -> None:
    """Many searches in threads neither block nor break each other."""
    reader = DocumentReader()
    folder = Folder(tmp_path, endings=reader.endings)
    for number in range(30):
        (tmp_path / f"{number}.txt").write_text(f"lighthouse number {number}")
    shelf = Shelf(folder, Index(folder.root), reader)
    backend = LibraryBackend("library", shelf, in_thread, check_s=0)
    searches = [backend.search("lighthouse", engines=(), language="en") for _ in range(20)]
    found = await asyncio.gather(*searches)
    assert [len(nodes) for nodes in found] == [30] * 20
    await backend.close()
