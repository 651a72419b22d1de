"""A page that may come in a moment is fetched once more."""

import httpx
import pytest

from protocol.errors import PageUnreadable
from protocol.settings import Pages
from retrieval.pages.fetcher import Fetcher
from upstreams.retry import Retry
from upstreams.tally import Tally

LINK = "https://a.example/x"


class Site(httpx.AsyncBaseTransport):
    """Fails once as it is told, then has its page."""

    def __init__(self, first: httpx.Response | Exception) -> None:
        self.asked = 0
        self._first = first

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The next reply."""
        self.asked += 1
        if self.asked > 1:
            return httpx.Response(200, stream=httpx.ByteStream(b"well"))
        if isinstance(self._first, Exception):
            raise self._first
        return self._first


@pytest.mark.parametrize("first", [httpx.Response(503), httpx.ReadError("x")])
async def test_failure_that_may_pass_is_asked_for_once_more(
    first: httpx.Response | Exception,
) -> None:
    """The page is read as if nothing had been, and the second try is counted."""
    site, retry = Site(first), Retry(1, Tally(), random=float)
    assert (await Fetcher(site, Pages(), retry).fetch(LINK)).body == b"well"
    assert retry.tally.told()["retried"] == {"pages": 1}


@pytest.mark.parametrize("first", [httpx.Response(404), httpx.ReadTimeout("x")])
async def test_failure_that_lasts_is_not(first: httpx.Response | Exception) -> None:
    """A page that is not there is not there."""
    site = Site(first)
    with pytest.raises(PageUnreadable):
        await Fetcher(site, Pages(), Retry(1, Tally(), random=float)).fetch(LINK)
    assert site.asked == 1
