"""Word documents and tables as passages."""

import pytest

from retrieval.library import office
from retrieval.library.office import NoDocument, docx_markdown, table_passages
from retrieval.library.reader import DocumentReader, Unreadable
from tests.retrieval.documents import docx, paragraph


def test_paragraphs_and_headings_are_told() -> None:
    """Headings become those of Markdown, breaks and tabs stay, empty paragraphs go."""
    body = paragraph("On bees", "Heading2") + "<w:p/>" + paragraph("They fly &amp; hum.")
    body += "<w:p><w:r><w:t>a</w:t><w:tab/><w:t>b</w:t><w:br/><w:t>c</w:t></w:r></w:p>"
    assert docx_markdown(docx(body)) == "## On bees\n\nThey fly & hum.\n\na\tb\nc"


def test_cells_of_a_table_and_boxes_are_told() -> None:
    """Text stands wherever there are paragraphs, each once."""
    cell = f"<w:tbl><w:tr><w:tc>{paragraph('cell')}</w:tc></w:tr></w:tbl>"
    box = f"<w:p><w:r><w:t>out</w:t><w:pict>{paragraph('in')}</w:pict></w:r></w:p>"
    assert docx_markdown(docx(cell + box)) == "cell\n\nout\nin"


BOMB = '<!DOCTYPE d [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;">]>'


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PK\x03\x04 and nothing",
        docx("", name="word/other.xml"),
        docx("<w:p>"),
        docx(paragraph("&b;"), head=BOMB),
        docx("text")[:-30],
    ],
)
def test_what_is_no_document_is_refused(data: bytes) -> None:
    """Damaged archives, other archives, broken XML, names that unfold."""
    with pytest.raises(NoDocument):
        docx_markdown(data)


def test_archive_that_unpacks_without_end_is_refused() -> None:
    """A small archive may hold any amount: reading stops at the bound."""
    body = paragraph("x" * 1_000) * (office.MOST_XML // 1_000)
    with pytest.raises(NoDocument):
        docx_markdown(docx(body))


def test_rows_are_told_with_their_columns() -> None:
    """Each row says what its cells are; passages are made of whole rows."""
    text = "name;height\n" + "".join(f"tower {n};{n} m\n" for n in range(200))
    passages = table_passages(text, "towers.csv")
    assert passages[0].text.startswith("name;height\nname: tower 0; height: 0 m\n")
    assert all(p.text.splitlines()[-1].startswith("name: tower") for p in passages)
    assert "name: tower 199; height: 199 m" in passages[-1].text
    assert {passage.title for passage in passages} == {"towers.csv"}


@pytest.mark.parametrize(
    "text", ['a,b\n"open', "one line", "\n\n", "a,b\n1,2,3\n4\n", 'a"b,c\n"d""e",f']
)
def test_tables_that_are_none_do_not_stop_it(text: str) -> None:
    """Whatever stands in the file is told somehow."""
    assert isinstance(table_passages(text, "t"), list)


def test_field_without_end_is_refused() -> None:
    """The library has a bound of its own, and its error is told in our words."""
    with pytest.raises(Unreadable):
        DocumentReader().read(b'a,"' + b"x" * 200_000, "t.csv")
