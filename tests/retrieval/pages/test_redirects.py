"""Where a redirect may lead."""

import httpx
import pytest

from protocol.errors import PageUnreadable
from retrieval.pages.fetcher import next_address

LINK = "https://a.example/x"


@pytest.mark.parametrize(
    ("link", "location", "leads_to"),
    [
        (LINK, "/y", "https://a.example/y"),
        (LINK, "//b.example/y", "https://b.example/y"),
        (LINK, "https://b.example:8443/y", "https://b.example:8443/y"),
        ("http://a.example/", "http://b.example/", "http://b.example/"),
        ("http://a.example/", "https://b.example/", "https://b.example/"),
    ],
)
def test_a_redirect_leads_on(link: str, location: str, leads_to: str) -> None:
    """To the same site or another, and up to https."""
    moved = httpx.Response(302, headers={"Location": location})
    assert next_address(httpx.URL(link), moved) == leads_to


@pytest.mark.parametrize(
    ("link", "location"),
    [
        *((LINK, "http://a.example/x"), (LINK, "ftp://a.example/"), (LINK, "https://me@a.example/")),
        *((LINK, "file:///etc/passwd"), ("http://a.example/", "https://:secret@a.example/")),
        *((LINK, "javascript:alert(1)"), (LINK, "data:text/plain,x")),
    ],
)  # fmt: skip
def test_a_redirect_does_not_lead_astray(link: str, location: str) -> None:
    """Never down to http, to another scheme, or to a login."""
    moved = httpx.Response(302, headers={"Location": location})
    with pytest.raises(PageUnreadable, match="cannot be used"):
        next_address(httpx.URL(link), moved)
