"""Sources lead to the web or nowhere, and their texts are texts."""

import pytest

from protocol.values import Node
from retrieval.sources import shown


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        " JavaScript:alert(1)",
        "java\x00script:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "ftp://a.example/",
        "//a.example/",
        "\\\\a.example\\x",
        "https://",
    ],
)
def test_source_that_leads_elsewhere_than_to_the_web_is_left_out(url: str) -> None:
    """Whatever found it."""
    assert shown([Node("text", "title", url)]) == ()


@pytest.mark.parametrize("url", ["https://a.example/x", "File", "notes/a%3Ab.md#part", ""])
def test_source_of_the_web_or_of_a_file_stays_as_it_is(url: str) -> None:
    """Names of documents and files are no addresses."""
    node = Node("text\n\twith lines", "title <b>", url)
    assert shown([node]) == (node,)


def test_control_characters_are_removed() -> None:
    """No letter is changed, nothing turns the direction of writing around."""
    (node,) = shown([Node("a\x00b\n\x1b[1m", "\u202etitle\x9f", "https://a.example", 0.5, "u")])
    assert node == Node("ab\n[1m", "title", "https://a.example", 0.5, "u")
