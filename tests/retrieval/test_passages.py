"""Documents are cut into passages."""

from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.library.passages import (
    PASSAGE_CHARS,
    markdown_passages,
    page_passages,
    pieces,
    text_passages,
)


def test_markdown_is_cut_at_its_headings() -> None:
    """Each passage knows the headings above it, and its place on the page."""
    text = "lead\n\n# Top\nfirst\n\n## `Sub` part!\nsecond\n# Other\nthird"
    found = [(p.title, p.text, p.place) for p in markdown_passages(text, "a.md")]
    assert found == [
        ("a.md", "lead", ""),
        ("Top", "first", "top"),
        ("Top / Sub part!", "second", "sub-part"),
        ("Other", "third", "other"),
    ]


def test_marks_in_code_are_no_headings() -> None:
    """A comment in a code block does not cut it."""
    text = "# Top\n```sh\n# comment\n~~~\n# more\n```\nafter"
    assert [p.title for p in markdown_passages(text, "a.md")] == ["Top"]


def test_an_unclosed_code_block_ends_with_the_document() -> None:
    """Nothing is lost after it."""
    (found,) = markdown_passages("# Top\n```\n# x", "a.md")
    assert found.text == "```\n# x"


def test_pages_count_from_one() -> None:
    """A PDF's passages tell their page."""
    found = [(p.title, p.place) for p in page_passages(["one", "", "three"], "a.pdf")]
    assert found == [("a.pdf, page 1", "page=1"), ("a.pdf, page 3", "page=3")]


def test_short_paragraphs_share_a_passage() -> None:
    """Paragraphs are packed as far as they fit."""
    assert [p.text for p in text_passages("a\n\nb\n \n\nc", "t")] == ["a\n\nb\n\nc"]


@given(st.text("ab .\n\u4e1c", max_size=4000))
@settings(max_examples=60, deadline=None)
def test_no_word_is_lost_and_no_piece_is_too_long(text: str) -> None:
    """Cut anywhere, the letters stay in their order."""
    found = pieces(text)
    assert all(0 < len(piece) <= PASSAGE_CHARS for piece in found)
    assert "".join("".join(found).split()) == "".join(text.split())


def test_an_endless_line_is_cut_quickly() -> None:
    """Megabytes without a blank take no recursion."""
    assert len(pieces("x" * 1_000_000)) == 1112
    assert len(pieces("word " * 200_000)) > 1000
