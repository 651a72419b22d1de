"""Who asks, and whose conversations they reach."""

from collections.abc import Awaitable, Callable
from typing import Literal

from protocol.base import Value

Role = Literal["admin", "user"]


class Reach(Value, frozen=True):
    """Whose things a reader of the store may see: one owner's, or everybody's for ``None``.

    What was kept before there were accounts, or on a server that knows none, has the owner ``""``.
    """

    owner: str | None

    def includes(self, owner: str) -> bool:
        """Whether what belongs to that owner may be seen."""
        return self.owner is None or self.owner == owner


EVERYBODY = Reach(None)


class Person(Value, frozen=True):
    """Who asks; without a name the one person of a server that knows no accounts."""

    name: str = ""
    role: Role = "admin"

    @property
    def is_admin(self) -> bool:
        """Whether settings, accounts and the conversations of others are theirs too."""
        return self.role == "admin"

    @property
    def reach(self) -> Reach:
        """What they may see, change and remove."""
        return EVERYBODY if self.is_admin else Reach(self.name)

    @property
    def own(self) -> Reach:
        """What is listed for them: with a name their own, without one all there is."""
        return Reach(self.name) if self.name else EVERYBODY


KEEPER = Person()
"""The one person of a server that knows no accounts, and whoever uses its command line."""


async def identify_keeper() -> Person:
    """The keeper."""
    return KEEPER


Identify = Callable[[], Awaitable[Person]]
"""Says who it is at this moment; raises Unauthorized, or StorageUnavailable."""
