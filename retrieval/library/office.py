"""Reads Word documents (docx) and tables (csv) as text."""

import csv
import io
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO
from xml.etree import ElementTree as ET

from retrieval.library.passages import PASSAGE_CHARS, Passage
from retrieval.library.pause import pause

MOST_XML = (
    64 * 1024 * 1024
)  # bytes of the text's part, unpacked: a small archive may hold any amount
DEFINES = b"<!DOCTYPE"
MAIN = "word/document.xml"
W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
INSTEAD = {f"{W}tab": "\t", f"{W}br": "\n", f"{W}cr": "\n", f"{W}noBreakHyphen": "-"}
DEEPEST = 6  # heading that Markdown has
HEADER_CHARS = 300
DELIMITERS = ",;\t|"

PROBLEMS = (
    zipfile.BadZipFile,
    zlib.error,
    ET.ParseError,
    KeyError,
    EOFError,
    OSError,
    NotImplementedError,  # an archive packed in a way that Python does not know
    RuntimeError,  # one that wants a password
    ValueError,
)


class NoDocument(Exception):
    """The bytes are no document of the kind; the text says why."""


def docx_markdown(data: bytes) -> str:
    """The text of a Word document as Markdown: its headings as such, a line a paragraph.

    Raises NoDocument.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive, archive.open(MAIN) as part:
            return "\n\n".join(filter(None, _paragraphs(_parsed(part))))
    except PROBLEMS as error:
        raise NoDocument("it is no readable Word document") from error


class _Bounded:
    """A file that is refused once it has given more than it should, or where it could define names.

    Documents of this kind are UTF-8 and define none; a few that do unfold into any amount of text.
    """

    def __init__(self, part: IO[bytes]) -> None:
        self._part = part
        self._left = MOST_XML
        self._last = b""

    def read(self, size: int = -1) -> bytes:
        pause()
        data = self._part.read(size)
        self._left -= len(data)
        seen = self._last + data
        if self._left < 0 or DEFINES in seen or b"\0" in seen:
            raise NoDocument("it unpacks to more than it should")
        self._last = seen[-len(DEFINES) :]
        return data


def _parsed(part: IO[bytes]) -> Iterator[ET.Element]:
    """Each paragraph when it is complete; what has been read is forgotten."""
    nested = 0
    for event, element in ET.iterparse(_Bounded(part), ["start", "end"]):  # noqa: S314 - bounded
        if element.tag == f"{W}p":
            nested += 1 if event == "start" else -1
            if event == "end" and not nested:  # a paragraph may hold a box with others
                yield element
                element.clear()


def _paragraphs(elements: Iterator[ET.Element]) -> Iterator[str]:
    for element in elements:
        text = "".join(_said(element)).strip()
        depth = _heading(element)
        yield f"{'#' * depth} {text}" if depth and text else text


def _said(paragraph: ET.Element) -> Iterator[str]:
    for element in paragraph.iter():
        if element.tag == f"{W}t":
            yield element.text or ""
        elif element.tag == f"{W}p" and element is not paragraph:
            yield "\n"
        else:
            yield INSTEAD.get(element.tag, "")


def _heading(paragraph: ET.Element) -> int:
    """The depth of a heading, from 1; 0 for a plain paragraph."""
    style = paragraph.find(f"{W}pPr/{W}pStyle")
    name = (style.get(f"{W}val") or "").lower() if style is not None else ""
    if name == "title":
        return 1
    depth = name.removeprefix("heading").strip()
    return min(int(depth), DEEPEST) if name.startswith("heading") and depth.isdecimal() else 0


def table_passages(text: str, name: str) -> list[Passage]:
    """Passages of whole rows, each row with the names of its columns; ``name`` is their title.

    A text that is no table gives its lines.
    """
    packed: list[str] = []
    for line in _rows(text):
        if packed and len(packed[-1]) + len(line) < PASSAGE_CHARS:
            packed[-1] = f"{packed[-1]}\n{line}"
        else:
            packed.append(line)
    return [Passage(name, piece[: 2 * PASSAGE_CHARS]) for piece in packed]


def _rows(text: str) -> Iterator[str]:
    first = text.partition("\n")[0][:HEADER_CHARS]
    delimiter = max(DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    columns: list[str] = []
    try:
        for row in reader:
            if columns:
                yield _told(columns, row)
            else:
                columns = [cell.strip() for cell in row]
                yield delimiter.join(columns)
    except csv.Error as error:
        raise NoDocument("it is no readable table") from error


def _told(columns: list[str], row: list[str]) -> str:
    names = [*columns, *[""] * (len(row) - len(columns))]
    cells = ((name, cell.strip()) for name, cell in zip(names, row, strict=False))
    return "; ".join(f"{name}: {cell}" if name else cell for name, cell in cells if cell)
