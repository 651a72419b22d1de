"""What takes the text out of documents, wherever that is done."""

from typing import BinaryIO, Protocol

from retrieval.library.passages import Passage
from retrieval.pages.content import Page
from retrieval.pages.fetcher import Fetched


class Reading(Protocol):
    """Takes the text out of documents."""

    async def read_page(self, fetched: Fetched, most_bytes: int, /) -> Page:
        """The page that was fetched; raises PageUnreadable."""

    async def read_file(self, file: BinaryIO, name: str, /) -> list[Passage]:
        """The passages of a file, at least one; raises FileRefused and FileUnreadable."""

    def close(self) -> None:
        """Stop what runs; blocks for a moment."""
