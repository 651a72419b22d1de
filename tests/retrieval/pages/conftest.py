"""The site that all tests of pages read."""

from collections.abc import AsyncIterator

import pytest

from tests.standins.website import Website


@pytest.fixture
async def site() -> AsyncIterator[Website]:
    """A web site on loopback."""
    async with Website() as started:
        yield started
