"""Who may ask at all: by the name under which the server is asked, and the page that asks.

A name that a stranger owns may lead to this server (DNS rebinding): its pages then are of the
same host as the server, for all that a browser knows. So only names count that no stranger can
own: addresses, names without a dot, names that are never given to anybody, and those of the
setting.
"""

from ipaddress import ip_address

from protocol.settings import Settings
from transport.cors import Origins, allowed_beside, name_of, nearby, same_origin
from transport.head import Head
from transport.refusals import HostRefused, OriginRefused
from upstreams.addresses import is_for_this_machine

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
# Reserved for private use (RFC 6761, 6762, 8375; ICANN 2024), or never delegated.
PRIVATE = (".localhost", ".local", ".internal", ".home.arpa", ".lan", ".test")


class Hosts:
    """The names under which a server may be asked."""

    def __init__(self, named: frozenset[str], *, is_local: bool) -> None:
        """``named`` in small letters, without ports; ``is_local``: it listens on loopback alone."""
        self._named = named
        self._is_local = is_local

    def include(self, host: str) -> bool:
        """Whether this is one of them; a client that names none is no browser."""
        name = name_of(host)
        if not name or name in self._named:
            return True
        if self._is_local:
            return is_for_this_machine(name)
        return is_address(name) or "." not in name or name.endswith(PRIVATE)


class Visitors:
    """Turns away what a browser should not have sent; ``check`` raises a ServiceError."""

    def __init__(self, hosts: Hosts, origins: Origins) -> None:
        self.origins = origins
        self._hosts = hosts

    @classmethod
    def of(cls, settings: Settings) -> "Visitors":
        """As the settings want it."""
        access, is_local = settings.access, is_for_this_machine(settings.general.host)
        hosts = Hosts(frozenset(map(str.lower, access.hosts)), is_local=is_local)
        named = frozenset(map(str.lower, access.origins))
        # A cookie goes with whatever any port of its host asks.
        by_itself = nearby if access.auth == "open" else same_origin
        return cls(hosts, Origins(allowed_beside(named, by_itself)))

    def check(self, head: Head) -> None:
        """Raise HostRefused or OriginRefused; a page of anybody may only read what is no secret."""
        if not self._hosts.include(head.host):
            raise HostRefused
        origin = head.headers.get("origin", "")
        acts = head.is_upgrade or head.method not in SAFE
        if origin and acts and not self.origins.allow(origin, head.host):
            raise OriginRefused


def is_address(name: str) -> bool:
    """Whether it is a numeric address."""
    try:
        ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True
