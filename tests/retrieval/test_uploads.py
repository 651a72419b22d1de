"""Files that users give, read into passages."""

import io

import pytest

from protocol.errors import FileRefused, FileUnreadable
from retrieval.library.passages import Passage
from retrieval.library.reader import DocumentReader
from retrieval.uploads import read_upload
from tests.retrieval.documents import docx, paragraph, pdf


def read(data: bytes, name: str) -> list[Passage]:
    """The passages of a file."""
    return read_upload(io.BytesIO(data), name, DocumentReader())


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.txt", b"The tower is high."),
        ("A.TXT", "The tower is high. \u00e9".encode("utf-16")),
        ("a.md", b"# Head\n\nThe tower is high."),
        ("a.csv", b"what,how\nThe tower is high.,very\n"),
        ("a.html", b"<html><body><p>The tower is high.</p></body></html>"),
        ("a.docx", docx(paragraph("The tower is high."))),
        ("a.pdf", pdf("The tower is high.")),
        ("a.b.pdf", b"\n\n" + pdf("The tower is high.")),
    ],
)
def test_every_kind_is_read(name: str, data: bytes) -> None:
    """Its text is in its passages."""
    assert "The tower is high." in " ".join(passage.text for passage in read(data, name))


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.exe", b"text"),
        ("a", b"text"),
        (".pdf", b"%PDF-"),
        ("a.pdf", b"no such thing"),
        ("a.txt", b"\x00\x01\x02"),
        ("a.txt", pdf("x")),
        ("a.md", docx("")),
        ("a.docx", b"text"),
        ("a.docx", b"PK\x03\x04"),
        ("a.docx", docx("", name="xl/workbook.xml")),
    ],
)
def test_name_and_content_must_agree(name: str, data: bytes) -> None:
    """Another kind is refused whatever its name, before anything is read from it."""
    with pytest.raises(FileRefused) as caught:
        read(data, name)
    assert caught.value.status == 415


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.txt", b""),
        ("a.txt", b" \n\n "),
        ("a.pdf", b"%PDF-1.4 and nothing"),
        ("a.pdf", pdf("")),
        ("a.docx", docx("<w:p/>")),
        ("a.docx", docx("<w:p>")),
    ],
)
def test_file_without_text_is_told_so(name: str, data: bytes) -> None:
    """Damaged and empty files are named, with what is wrong."""
    with pytest.raises(FileUnreadable) as caught:
        read(data, name)
    assert (caught.value.status, name in str(caught.value)) == (422, True)
