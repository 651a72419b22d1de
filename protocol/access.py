"""Who asks, and whose conversations they reach."""

from collections.abc import Awaitable, Callable
from ipaddress import IPv6Network
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
NARROW, WIDE = "/64", "/48"  # what one customer has of IPv6 at least, and at most


def counted(address: str, name: str) -> tuple[str, ...]:
    """The keys under which is counted what somebody does; none for who is not counted.

    An address of IPv6 is a /64; who has many of these is counted by their /48 as well.
    """
    by_address = (f"address {address}",) if address else ()
    if address.endswith(NARROW):
        by_address = (*by_address, f"address {IPv6Network(address).supernet(new_prefix=48)}")
    return (*by_address, f"name {name}") if name else by_address


class Person(Value, frozen=True):
    """Who asks; without a name the one person of a server that knows no accounts.

    ``address`` is where they are, as far as they are counted by that.
    """

    name: str = ""
    role: Role = "admin"
    address: str = ""

    @property
    def keys(self) -> tuple[str, ...]:
        """Under which is counted what they do."""
        return counted(self.address, self.name)

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
