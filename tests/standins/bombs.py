"""Small or endless replies that want all of a reader's memory or time."""

import asyncio
import gzip
import io
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import chain, repeat
from typing import Self

MEGABYTE = 1_000_000
DEEP = 100_000
DEADLINE_S = 60.0
HTML, TEXT, PDF = "text/html", "text/plain", "application/pdf"
ENDLESS = {"Transfer-Encoding": "chunked"}


@dataclass(frozen=True)
class Bomb:
    """What is sent: ``body`` makes its pieces, and is asked anew for each request."""

    body: Callable[[], Iterable[bytes]]
    kind: str = HTML
    packing: str = ""
    headers: Mapping[str, str] | None = None

    def head(self) -> bytes:
        """Status line and header fields; without a length the body ends with its connection."""
        fields = {"Content-Type": self.kind, "Connection": "close", **(self.headers or {})}
        if self.packing:
            fields["Content-Encoding"] = self.packing
        lines = ["HTTP/1.1 200 OK", *(f"{key}: {value}" for key, value in fields.items())]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()


def packed(wbits: int, megabytes: int, unit: bytes = b"0") -> bytes:
    """So many megabytes, deflated."""
    packer = zlib.compressobj(9, wbits=wbits)
    piece = unit * (MEGABYTE // len(unit))
    return b"".join([*(packer.compress(piece) for _ in range(megabytes)), packer.flush()])


def chunks(piece: bytes) -> Iterator[bytes]:
    """A chunked body without end."""
    return repeat(_chunk(piece))


def _chunk(piece: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(piece), piece)


def endless_gzip() -> Iterator[bytes]:
    """A gzip whose end never comes, in chunks of a megabyte each."""
    packer = zlib.compressobj(9, wbits=31)
    head = packer.flush(zlib.Z_FULL_FLUSH)
    megabyte = packer.compress(b"0" * MEGABYTE) + packer.flush(zlib.Z_FULL_FLUSH)
    return chain((_chunk(head),), chunks(megabyte))


def nested(tag: bytes, depth: int = DEEP) -> bytes:
    """HTML so deep."""
    return b"<%b>" % tag * depth + b"deep" + b"</%b>" % tag * depth


def pdf_of(drawn: bytes, *, filters: bytes = b"/FlateDecode", kids: bytes = b"3 0 R") -> bytes:
    """A PDF with a page of that packed content; its table of places is left to be mended."""
    parts = (
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj",
        b"2 0 obj<</Type/Pages/Kids[%b]/Count %d>>endobj" % (kids, kids.count(b"R")),
        b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R",
        b"/Resources<</Font<</F1<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>>endobj",
        b"4 0 obj<</Length %d/Filter[%b]>>stream" % (len(drawn), filters),
        drawn + b"\nendstream endobj",
        b"trailer<</Root 1 0 R>>\n%%EOF",
    )
    return b"\n".join(parts)


def deep_pdf() -> bytes:
    """A PDF whose pages stand in folders in folders."""
    rows = (
        b"%d 0 obj<</Type/Pages/Parent %d 0 R/Kids[%d 0 R]/Count 1>>endobj"
        % (number, max(number - 1, 1), number + 1)
        for number in range(2, DEEP)
    )
    head = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
    return head + b"\n".join(rows) + b"\ntrailer<</Root 1 0 R>>\n%%EOF"


def packed_pdf(megabytes: int, unit: bytes) -> bytes:
    """A PDF with one page of so many megabytes."""
    return pdf_of(packed(15, megabytes, unit))


def twice_packed_pdf() -> bytes:
    """A PDF whose content is packed twice."""
    return pdf_of(zlib.compress(packed(15, 500)), filters=b"/FlateDecode/FlateDecode")


def docx_of(megabytes: int) -> bytes:
    """A Word document that unfolds to so many megabytes of XML."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        with archive.open("word/document.xml", "w", force_zip64=True) as part:
            for _ in range(megabytes):
                part.write(b"<w:p/>" * (MEGABYTE // 6))
    return written.getvalue()


@cache
def _once(make: Callable[[], bytes]) -> bytes:
    return make()


def _made(make: Callable[[], bytes], kind: str = HTML, packing: str = "") -> Bomb:
    return Bomb(lambda: (_once(make),), kind, packing)


BOMBS: Mapping[str, Bomb] = {
    "gzip of 1 GB": _made(lambda: packed(31, 1000), TEXT, "gzip"),
    "gzip of HTML": _made(lambda: packed(31, 500, b"<div>"), HTML, "gzip"),
    "gzip in gzip": _made(lambda: gzip.compress(packed(31, 1000)), TEXT, "gzip, gzip"),
    "gzip in gzip, told once": _made(lambda: gzip.compress(packed(31, 1000)), TEXT, "gzip"),
    "gzip without end": Bomb(endless_gzip, TEXT, "gzip", ENDLESS),
    "many gzips": _made(lambda: gzip.compress(b"") * 400_000, TEXT, "gzip"),
    "deflate": _made(lambda: packed(15, 1000), TEXT, "deflate"),
    "deflate, bare": _made(lambda: packed(-15, 1000), TEXT, "deflate"),
    "deflate in deflate": _made(lambda: zlib.compress(packed(15, 1000)), TEXT, "deflate"),
    "br": _made(lambda: b"\xcf\xff\xff" * 1000, TEXT, "br"),
    "zstd": _made(lambda: b"\x28\xb5\x2f\xfd" * 1000, TEXT, "zstd"),
    "unknown packing": _made(lambda: b"x" * MEGABYTE, TEXT, "compress"),
    "gzip of UTF-16": _made(
        lambda: packed(31, 9, b"\xff\xfe"), "text/plain; charset=utf-16", "gzip"
    ),
    "chunks without end": Bomb(lambda: chunks(b"x" * 60_000), TEXT, "", ENDLESS),
    "bytes without end": Bomb(lambda: repeat(b"<p>x" * 16_000)),
    "small chunks without end": Bomb(lambda: repeat(b"1\r\nx\r\n" * 10_000), TEXT, "", ENDLESS),
    "a chunk's length without end": Bomb(lambda: repeat(b"0" * 60_000), TEXT, "", ENDLESS),
    "a huge chunk": Bomb(
        lambda: (b"ffffffffffff\r\n", *repeat(b"x" * 60_000, 10_000)), TEXT, "", ENDLESS
    ),
    "a huge length": Bomb(
        lambda: repeat(b"x" * 60_000), TEXT, "", {"Content-Length": "99999999999"}
    ),
    "a head without end": Bomb(lambda: (), TEXT, "", {"X": "y" * 5 * MEGABYTE}),
    "PDF of 500 MB": _made(lambda: packed_pdf(500, b" "), PDF),
    "PDF of 60 MB of letters": _made(lambda: packed_pdf(60, b"BT /F1 9 Tf (letters) Tj ET "), PDF),
    "PDF of 200 MB of lines": _made(lambda: packed_pdf(200, b"0 0 m 9 9 l S "), PDF),
    "PDF packed twice": _made(twice_packed_pdf, PDF),
    "PDF 100,000 deep": _made(deep_pdf, PDF),
    "PDF of 100,000 pages": _made(lambda: pdf_of(packed(15, 1), kids=b"3 0 R " * DEEP), PDF),
    "PDF of 10 MB of brackets": _made(lambda: b"%PDF-1.4\n1 0 obj" + b"[" * 9 * MEGABYTE, PDF),
    "HTML 100,000 deep": _made(lambda: nested(b"div")),
    "HTML 100,000 deep in tables": _made(lambda: nested(b"table")),
    "HTML 100,000 deep in letters": _made(lambda: nested(b"b")),
    "HTML of attributes": _made(lambda: b"<p " + b"a=b " * MEGABYTE * 2 + b">"),
    "HTML of open comments": _made(lambda: b"<!--" * MEGABYTE * 2),
    "HTML of open tags": _made(lambda: b"<" * MEGABYTE * 9),
    "text of 9 MB of spaces": _made(lambda: b" " * MEGABYTE * 9 + b"x", TEXT),
}


class BombServer:
    """Sends the bomb whose place in ``BOMBS`` is the path."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self._server: asyncio.Server

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accepted, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await self._server.wait_closed()

    def link(self, name: str) -> str:
        """Where the bomb is."""
        host, port = self._server.sockets[0].getsockname()
        return f"http://{host}:{port}/{list(BOMBS).index(name)}"

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(DEADLINE_S):
                head = await reader.readuntil(b"\r\n\r\n")
                name = list(BOMBS)[int(head.split(b" ", 2)[1][1:])]
                self.asked.append(name)
                writer.write(BOMBS[name].head())
                for piece in BOMBS[name].body():
                    writer.write(piece)
                    await writer.drain()
                    await asyncio.sleep(0)  # drain() alone does not let others go on
        except (TimeoutError, OSError, EOFError):
            pass
        finally:
            writer.close()
