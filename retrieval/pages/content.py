"""What the bytes of a page say: unpacked, decoded, read. Slow, so never on the event loop."""

import codecs
import re
import zlib
from collections.abc import Callable, Mapping

from protocol.base import Value
from protocol.errors import PageUnreadable
from retrieval.library.passages import Passage, markdown_passages, text_passages
from retrieval.library.reader import MARKS, DocumentReader, Unreadable, decoded, html_text
from retrieval.pages.fetcher import Fetched, too_large

STEP = 256 * 1024
MOST_PIECES = 2_000
MOST_BYTES = 1_000_000  # of text: more than an answer needs, and a short work for one thread
SNIFFED = 2_048
PAGE_BYTES = 500  # of a page beside its text
PIECE_BYTES = 60
PDF = "application/pdf"
HTML = "text/html"
TEXT = "text/plain"
AUTO = zlib.MAX_WBITS | 32  # zlib's or gzip's head, whichever is there
BARE = -zlib.MAX_WBITS  # what some servers send as deflate
META = re.compile(rb"<meta[^>]+?charset\s*=\s*[\"']?\s*([\w.:-]{1,40})", re.IGNORECASE)
LOOKS_HTML = re.compile(rb"\s*(?:<!doctype html|<html|<head|<body|<\?xml)", re.IGNORECASE)
# Encodings that pages are written in, as Python's codecs name them; other codecs are no alphabets,
# or can be made to work for ever.
CHARSETS = frozenset(
    {
        *("ascii", "utf-8", "utf-16", "utf-16-le", "utf-16-be", "koi8-r", "koi8-u", "mac-roman"),
        *(f"iso8859-{n}" for n in range(1, 17)),
        *(f"cp{n}" for n in (866, 874, 932, 949, 950, *range(1250, 1259))),
        *("shift_jis", "euc_jp", "iso2022_jp", "gb2312", "gbk", "gb18030", "big5", "big5hkscs"),
        *("euc_kr", "tis-620"),
    }
)
# As browsers do: pages that claim these mean the larger ones.
MEANT = {"iso8859-1": "cp1252", "ascii": "cp1252", "gb2312": "gb18030", "gbk": "gb18030"}


class Page(Value, frozen=True):
    """A page that was read; ``pieces`` are its text in order, at least one."""

    title: str
    pieces: tuple[str, ...]


def weight(page: Page) -> int:
    """About how many bytes a page takes."""
    return PAGE_BYTES + len(page.title) + sum(PIECE_BYTES + len(piece) for piece in page.pieces)


class PageContent:
    """Makes pages of what was fetched; its methods block."""

    def __init__(self, reader: DocumentReader, *, most_bytes: int) -> None:
        self._reader = reader
        self._most_bytes = most_bytes
        self._readers: Mapping[str, Callable[[bytes, str], Page]] = {PDF: self._pdf, HTML: html}

    def read(self, fetched: Fetched) -> Page:
        """The page; its title is empty when it has none.

        Raises:
            PageUnreadable: It is too large unpacked, broken, or has no text.

        """
        body = unpacked(fetched, self._most_bytes)
        read = self._readers.get(kind_of(fetched.kind, body), text)
        try:
            page = read(body, fetched.charset)
        except Unreadable as error:
            raise PageUnreadable(f"it is {error}") from error
        if not page.pieces:
            raise PageUnreadable("it has no text")
        return page

    def _pdf(self, body: bytes, _charset: str) -> Page:
        document = self._reader.read_pdf(body)
        pieces = [p.text for page in document.pages for p in text_passages(page, "")]
        return Page(document.title, tuple(pieces[:MOST_PIECES]))


def kind_of(named: str, body: bytes) -> str:
    """How to read a body, by what it is named and what it begins with."""
    if body[:1024].lstrip().startswith(b"%PDF-"):
        return PDF
    if "html" in named or (not named and LOOKS_HTML.match(body)):
        return HTML
    return named if named == PDF else TEXT


def html(body: bytes, charset: str) -> Page:
    """The main text of an HTML page."""
    title, main = html_text(in_letters(body, charset))
    passages = markdown_passages(main, title)[:MOST_PIECES]
    return Page(title, tuple(under_heading(passage, title) for passage in passages))


def under_heading(passage: Passage, title: str) -> str:
    """The passage with the headings that it stands under, where they say more than the page's."""
    return f"## {passage.title}\n\n{passage.text}" if passage.title != title else passage.text


def text(body: bytes, charset: str) -> Page:
    """A page of plain text; it has no title."""
    pieces = [passage.text for passage in text_passages(in_letters(body, charset), "")]
    return Page("", tuple(pieces[:MOST_PIECES]))


def in_letters(body: bytes, charset: str) -> str:
    """The text: by its mark, else as its site says, else as it says itself, else as it looks."""
    marked = any(body.startswith(mark) for mark, _ in MARKS)
    meta = META.search(body[:SNIFFED])
    claims = (charset, meta[1].decode("ascii", "replace") if meta else "")
    named = next((known for claim in claims if (known := codec(claim))), "")
    most = body[:MOST_BYTES]
    return decoded(most) if marked or not named else most.decode(named, errors="replace")


def codec(charset: str) -> str:
    """Python's name of an encoding that pages are written in; empty for anything else."""
    try:
        name = codecs.lookup(charset).name if charset else ""
    except (LookupError, ValueError):
        return ""
    return MEANT.get(name, name) if name in CHARSETS else ""


def unpacked(fetched: Fetched, most: int) -> bytes:
    """The body without its compression; a small one that unfolds without end is refused in time.

    Raises:
        PageUnreadable: It is over ``most`` bytes, broken, or packed in a way that nobody asked for.

    """
    if fetched.packing in {"", "identity"}:
        return fetched.body
    if fetched.packing not in {"gzip", "x-gzip", "deflate"}:
        raise PageUnreadable("it is compressed in a way that was not asked for")
    try:
        return inflated(fetched.body, most, AUTO)
    except zlib.error:
        return _bare(fetched.body, most)


def _bare(body: bytes, most: int) -> bytes:
    try:
        return inflated(body, most, BARE)
    except zlib.error as error:
        raise PageUnreadable("its compression is broken") from error


def inflated(body: bytes, most: int, wbits: int) -> bytes:
    """What the body unfolds to, counted step by step; what follows its end is left out."""
    inflater = zlib.decompressobj(wbits)
    whole = bytearray()
    rest = body
    while rest and not inflater.eof:
        whole += inflater.decompress(rest, STEP)
        rest = inflater.unconsumed_tail
        if len(whole) > most:
            raise too_large(most)
    return bytes(whole)
