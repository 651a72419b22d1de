"""A transport that is made when it is first needed."""

import httpx

from upstreams.late import LateTransport


class Counted(httpx.AsyncBaseTransport):
    """Counts its calls and its ends."""

    def __init__(self) -> None:
        self.calls = self.ends = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer."""
        del request
        self.calls += 1
        return httpx.Response(200)

    async def aclose(self) -> None:
        """End."""
        self.ends += 1


async def test_it_is_made_once_and_closed() -> None:
    """All requests go to the same."""
    made: list[Counted] = []

    def make() -> Counted:
        made.append(Counted())
        return made[-1]

    transport = LateTransport(make)
    assert not made
    async with httpx.AsyncClient(transport=transport) as client:
        for _ in range(2):
            await client.get("http://a.example")
    assert [(each.calls, each.ends) for each in made] == [(2, 1)]


async def test_one_that_was_never_needed_is_never_made() -> None:
    """Not to be closed either."""
    made: list[Counted] = []
    async with httpx.AsyncClient(transport=LateTransport(lambda: made[0])):
        pass
    assert not made
