"""Documents of several formats, and bytes that only pretend to be one."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pypdfium2
import pytest

from retrieval.library.reader import DocumentReader, Unreadable

PAGE = b"""<html><head><title>The lighthouse</title><style>p {}</style></head><body>
<nav>Home</nav><h1>Tower</h1><p>The lighthouse of Fakeport is 47 metres tall.</p>
<script>alert('no')</script></body></html>"""


def pdf(text: str) -> bytes:
    """A PDF of one page with a line of text."""
    stream = f"BT /F1 12 Tf 20 100 Td ({text}) Tj ET".encode()
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]/Contents 4 0 R/Resources 5 0 R>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(stream), stream),
        b"<</Font<</F1<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>",
    ]
    parts = [b"%%PDF-1.4\n"]
    parts += [b"%d 0 obj%s endobj\n" % (i, body) for i, body in enumerate(objects, start=1)]
    return b"".join([*parts, b"trailer<</Root 1 0 R>>\n%%EOF"])


def texts(data: bytes, name: str) -> str:
    return " ".join(passage.text for passage in DocumentReader().read(data, name))


@pytest.mark.parametrize(
    ("data", "name"),
    [
        ("Caf\u00e9 au lait".encode(), "a.txt"),
        ("\ufeffCaf\u00e9 au lait".encode("utf-8"), "a.TXT"),
        ("Caf\u00e9 au lait".encode("utf-16"), "a.md"),
        ("Caf\u00e9 au lait".encode("latin-1"), "a.markdown"),
        ("<p>Caf\u00e9 au lait</p>".encode(), "a.htm"),
    ],
)
def test_text_is_read_in_common_encodings(data: bytes, name: str) -> None:
    """Marks and bad UTF-8 tell the encoding."""
    assert texts(data, name) == "Caf\u00e9 au lait"


def test_html_is_read_without_its_machinery() -> None:
    """Text and title stay; scripts and styles go."""
    (found,) = DocumentReader().read(PAGE, "x/page.html")
    assert "47 metres" in found.text
    assert "alert" not in found.text
    assert "The lighthouse" in found.title or found.title == "Tower"


def test_pdf_is_read_by_page() -> None:
    """A PDF's text is found with its page."""
    (found,) = DocumentReader().read(pdf("The tower is 47 metres tall"), "x/tower.pdf")
    assert (found.title, found.place) == ("tower.pdf, page 1", "page=1")
    assert found.text == "The tower is 47 metres tall"


@pytest.mark.parametrize(
    ("data", "name"),
    [(b"\x00\x01\x02", "a.txt"), (b"GIF89a\x00", "a.md"), (b"no pdf", "a.pdf"), (b"", "a.pdf")],
)
def test_what_is_no_document_is_told(data: bytes, name: str) -> None:
    """Binary files under the name of a document are Unreadable, whatever the library says."""
    with pytest.raises(Unreadable):
        DocumentReader().read(data, name)


@pytest.mark.parametrize(
    "page",
    [b"", b"<", b"<html><body>", b"<!--", b"<div>" * 20_000, b"<![CDATA[x", b"<a b=\xff\xfe>text"],
)
def test_broken_html_does_not_break_the_reader(page: bytes) -> None:
    """Hostile pages give some text or none; never a passage with nothing in it."""
    assert all(passage.text.strip() for passage in DocumentReader().read(page, "a.html"))


def test_pdfs_are_read_one_at_a_time() -> None:
    """PDFium is not thread-safe; many threads get their text all the same."""
    reader = DocumentReader()
    barrier = threading.Barrier(4)

    def read(number: int) -> str:
        barrier.wait(5)
        return reader.read(pdf(f"number {number}"), "a.pdf")[0].text

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(read, range(4))) == [f"number {i}" for i in range(4)]


def test_the_pdf_library_raises_what_we_translate() -> None:
    """An upgrade that renames the error fails here."""
    assert issubclass(pypdfium2.PdfiumError, Exception)
