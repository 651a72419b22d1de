"""Lets in who may ask: the one place that every request and every command passes."""

from collections.abc import Callable, Mapping, Sequence
from ipaddress import IPv4Network, IPv6Network

from msgspec.structs import replace

from access.accounts import AccountDoor, Registry
from access.addresses import client_address, place_of
from access.doors import (
    Door,
    OpenDoor,
    check_token,
    is_within,
    proxy_door,
    read_proxies,
    token_door,
)
from access.proofs import NO_PROOF, Proof, proof_of
from protocol.access import Person
from protocol.access_settings import Access
from protocol.errors import SettingsError
from protocol.refusals import Unauthorized
from protocol.settings import Settings
from upstreams.addresses import is_for_this_machine

EXPOSED = (
    "whoever reaches this address could read all conversations and settings; choose"
    " PERPLEXICA_AUTH=users, token or proxy, listen on 127.0.0.1, or insist with --insecure"
)

_CHECKED: Mapping[str, Callable[[Access], Door]] = {"token": token_door, "proxy": proxy_door}
_DOORS: Mapping[str, Callable[[Access, Registry], Door]] = {
    "open": lambda _, __: OpenDoor(),
    "token": lambda access, registry: token_door(access, registry.now),
    "users": lambda access, registry: AccountDoor(registry, login_hours=access.login_hours),
    "proxy": lambda access, _: proxy_door(access),
}


class Gate:
    """Knows who asks, as the settings want it."""

    def __init__(
        self,
        door: Door,
        *,
        user_header: str = "",
        is_open: bool = False,
        proxies: Sequence[IPv4Network | IPv6Network] = (),
    ) -> None:
        self.door = door
        self._proxies = proxies
        self._user_header = user_header.lower()
        self._is_open = is_open

    @classmethod
    def of(cls, access: Access, registry: Registry) -> "Gate":
        """The gate of the settings; raises SettingsError for what makes none."""
        door = _DOORS[access.auth](access, registry)
        return cls(
            door,
            user_header=access.user_header,
            is_open=access.auth == "open",
            proxies=read_proxies(access),
        )

    def proof(self, headers: Mapping[str, str], peer: str) -> Proof:
        """What the head of a request proves; nothing of it is kept where nobody looks at it."""
        address = self._place(client_address(headers, peer, self._proxies))
        if not self._is_open:
            user_header = self._user_header
            return proof_of(headers, user_header=user_header, peer=peer, address=address)
        return Proof(address=address) if address else NO_PROOF

    def arrival(self, peer: str) -> str:
        """The place that a connection is counted under before it says more; empty for none."""
        return "" if is_within(peer, self._proxies) else self._place(peer)

    async def person(self, proof: Proof) -> Person:
        """Who it is at this moment; raises Unauthorized, or StorageUnavailable."""
        person = await self.door.person(proof)
        if person is None:
            raise Unauthorized
        return replace(person, address=proof.address) if proof.address else person

    def _place(self, client: str) -> str:
        # The one person of this machine has many tabs and programs, and nobody to share it with.
        return "" if self._is_open and is_for_this_machine(client) else place_of(client)


def check_access(settings: Settings) -> None:
    """Raise SettingsError where everybody on a network would be let in unasked, or nobody can."""
    access, host = settings.access, settings.general.host
    if settings.metrics.token:
        check_token("PERPLEXICA_METRICS_TOKEN", settings.metrics.token)
    read_proxies(access)
    if access.auth in _CHECKED:
        _CHECKED[access.auth](access)
    if access.auth == "open" and not access.insecure and not is_for_this_machine(host):
        raise SettingsError("PERPLEXICA_HOST", host, EXPOSED)
