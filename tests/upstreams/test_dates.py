"""Replies tell the time in passing."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from upstreams.dates import Dates, date_of

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
HOUR_S = 3600


async def ahead_s(*heads: dict[str, str]) -> float | None:
    """How far a clock that says noon is ahead, after replies with these heads."""
    replies = iter(heads)
    dates = Dates(lambda: NOON)
    served = httpx.MockTransport(lambda _: httpx.Response(403, headers=next(replies)))
    async with dates.watch(httpx.AsyncClient(transport=served)) as client:
        for _ in heads:
            await client.get("http://service.test")
    return dates.ahead_s


def at(hours: float) -> str:
    """A time so many hours after noon, as a reply tells it."""
    return format_datetime(NOON + timedelta(hours=hours), usegmt=True)


async def test_refusals_tell_the_time_too() -> None:
    """A clock that is behind is so by less than nothing."""
    assert await ahead_s({"date": at(1)}) == -HOUR_S
    assert await ahead_s({"date": at(-1)}) == HOUR_S


async def test_one_service_with_our_time_is_enough() -> None:
    """Others that are off then are so by themselves."""
    assert await ahead_s({"date": at(5)}, {"date": at(0)}, {"date": at(-3)}) == 0


@pytest.mark.parametrize("head", [{}, {"date": "noon"}, {"date": at(-2), "age": "7200"}])
async def test_replies_that_tell_nothing(head: dict[str, str]) -> None:
    """Without a date, with one that is none, or out of a cache."""
    assert await ahead_s(head) is None


@pytest.mark.parametrize("text", ["", "0", "Mon, 99 Nov 2026 12:00:00 GMT", "\x00", "1" * 400])
def test_dates_that_are_none(text: str) -> None:
    """Nothing is raised."""
    assert date_of(text) is None
