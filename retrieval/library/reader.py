"""Reads documents of several formats into passages; slow, so never on the event loop."""

import codecs
import threading
from collections.abc import Callable, Iterator, Mapping
from html.parser import HTMLParser
from pathlib import PurePosixPath
from typing import Any

from protocol.base import Value
from retrieval.library.office import NoDocument, docx_markdown, table_passages
from retrieval.library.passages import (
    Passage,
    markdown_passages,
    page_passages,
    text_passages,
)
from retrieval.library.pause import pause

MOST_PAGES = 500
MOST_HTML = 2_000_000
MOST_COLLECTED = (
    300_000  # for the title, and where there is no main text: Python holds the loop here
)
MOST_PASSAGES = 2_000
MOST_TEXT = 2_000_000  # characters; no more become passages, and more would hold other threads up
SNIFFED = 8_192
MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
SILENT = frozenset({"script", "style", "noscript", "template", "svg"})
# What HTML and its libraries answer a hostile document with, lxml's errors being ValueError or
# SyntaxError by descent.
HTML_PROBLEMS = (ValueError, TypeError, AttributeError, LookupError, RecursionError, SyntaxError)


class Unreadable(Exception):
    """The bytes are no document that can be read; the text says why."""


class PdfText(Value, frozen=True):
    """The title that a PDF gives itself, often none, and the text of each of its pages."""

    title: str
    pages: tuple[str, ...]


class DocumentReader:
    """Turns the bytes of a document into passages, by the ending of its name."""

    def __init__(self) -> None:
        # PDFium is not thread-safe, and it is one for the whole process.
        self._pdf_lock = threading.Lock()
        self._readers: Mapping[str, Callable[[bytes, str], list[Passage]]] = {
            ".md": read_markdown,
            ".markdown": read_markdown,
            ".txt": read_text,
            ".html": read_html,
            ".htm": read_html,
            ".pdf": self._read_pdf,
            ".docx": read_docx,
            ".csv": read_table,
        }

    @property
    def endings(self) -> frozenset[str]:
        """Endings of the names that can be read, in lower case, with their dots."""
        return frozenset(self._readers)

    def read(self, data: bytes, name: str) -> list[Passage]:
        """The document's passages, at most ``MOST_PASSAGES``.

        Args:
            data: The document.
            name: Its path; the ending decides the format, the last part is a title.

        Raises:
            Unreadable: The bytes are not what the name says.

        """
        path = PurePosixPath(name)
        read = self._readers.get(path.suffix.lower(), read_text)
        return read(data, path.name)[:MOST_PASSAGES]

    def read_pdf(self, data: bytes) -> PdfText:
        """Title and text of a PDF; raises Unreadable."""
        import pypdfium2  # noqa: PLC0415 - loaded when the first PDF is read

        try:
            with self._pdf_lock:
                document = pypdfium2.PdfDocument(data)
                try:
                    title = document.get_metadata_dict().get("Title", "")
                    return PdfText(title.strip(), tuple(pdf_pages(document)))
                finally:
                    document.close()
        except (pypdfium2.PdfiumError, ValueError) as error:
            raise Unreadable("no readable PDF") from error

    def _read_pdf(self, data: bytes, name: str) -> list[Passage]:
        return page_passages(self.read_pdf(data).pages, name)


def pdf_pages(document: Any) -> Iterator[str]:
    """The text of each page, at most ``MOST_PAGES``."""
    for number in range(min(len(document), MOST_PAGES)):
        pause()
        page = document[number]
        text = page.get_textpage()
        yield text.get_text_range().replace("\r\n", "\n")
        text.close()
        page.close()


def read_markdown(data: bytes, name: str) -> list[Passage]:
    """Passages by heading."""
    return markdown_passages(decoded(data)[:MOST_TEXT], name)


def read_text(data: bytes, name: str) -> list[Passage]:
    """Passages by paragraph."""
    return text_passages(decoded(data)[:MOST_TEXT], name)


def read_docx(data: bytes, name: str) -> list[Passage]:
    """Passages by heading."""
    try:
        return markdown_passages(docx_markdown(data)[:MOST_TEXT], name)
    except NoDocument as error:
        raise Unreadable(str(error)) from error


def read_table(data: bytes, name: str) -> list[Passage]:
    """Passages of whole rows."""
    try:
        return table_passages(decoded(data)[:MOST_TEXT], name)
    except NoDocument as error:
        raise Unreadable(str(error)) from error


def read_html(data: bytes, name: str) -> list[Passage]:
    """Passages of the main text."""
    title, main = html_text(decoded(data))
    return markdown_passages(main, title or name)


def html_text(page: str) -> tuple[str, str]:
    """Title and main text of a page, or all of its text where no main text is found."""
    import trafilatura  # noqa: PLC0415 - loaded when the first page is read

    page = page[:MOST_HTML]
    try:
        main = trafilatura.extract(page, output_format="markdown", include_comments=False)
    except HTML_PROBLEMS:
        main = None
    collected = collect(page[:MOST_COLLECTED])
    return " ".join(collected.title.split()), main or collected.text()


def decoded(data: bytes) -> str:
    """The text, whatever common encoding it is in; raises Unreadable for what is none."""
    for mark, encoding in MARKS:
        if data.startswith(mark):
            return data.decode(encoding, errors="replace")
    if b"\x00" in data[:SNIFFED]:
        raise Unreadable("no text")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


class Collector(HTMLParser):
    """All text of a page that a reader would see, and its title."""

    def __init__(self) -> None:
        super().__init__()
        self.title = ""
        self._lines: list[str] = []
        self._inside: list[str] = []

    def text(self) -> str:
        """The text, a line an element."""
        return "\n".join(self._lines)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember which silent element or title is open."""
        del attrs
        if tag in SILENT or tag == "title":
            self._inside.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Forget the element, and what was left open in it."""
        if tag in self._inside:
            del self._inside[self._inside.index(tag) :]

    def handle_data(self, data: str) -> None:
        """Keep what is text or title."""
        if self._inside[-1:] == ["title"]:
            self.title += data
        elif not self._inside and data.strip():
            self._lines.append(data.strip())


def collect(page: str) -> Collector:
    """The text and title of a page, as far as it can be parsed."""
    collector = Collector()
    try:
        collector.feed(page)
    except (ValueError, AssertionError):
        return collector
    return collector
