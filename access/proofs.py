"""What a client proves with who it is."""

import hashlib
import re
from collections.abc import Mapping

from protocol.base import Value

COOKIE, DEVICE_COOKIE = "perplexica_login", "perplexica_device"
KEY_PREFIX = "ppx_"  # by which people, and scanners of repositories, know our keys

_SECRET = re.compile(rf"(?:{KEY_PREFIX})?[0-9a-f]{{64}}")
_BEARER = re.compile(r"[Bb]earer +([!-~]{1,500})")
_DEVICE = re.compile(rf"(?:^|; ?){DEVICE_COOKIE}=([0-9a-f]{{32}}\.[0-9a-f]{{64}})(?:;|$)")
_COOKIE = re.compile(rf"(?:^|; ?){COOKIE}=([!-:<-~]{{1,500}})(?:;|$)")


class Proof(Value, frozen=True):
    """A secret that came in a header or a cookie, or the user that a proxy vouches for.

    ``peer`` is the address that the connection comes from, ``address`` the place that the client
    is counted under; it is empty for one that is not.
    """

    bearer: str = ""
    cookie: str = ""
    user: str = ""
    peer: str = ""
    address: str = ""

    def __repr__(self) -> str:
        """Say what kind it is, never what it says."""
        kinds = [name for name in ("bearer", "cookie", "user") if getattr(self, name)]
        return f"Proof({', '.join(kinds)})"


NO_PROOF = Proof()


def proof_of(
    headers: Mapping[str, str], *, user_header: str, peer: str, address: str = ""
) -> Proof:
    """What the headers of a request prove; their names are in small letters."""
    bearer = _BEARER.fullmatch(headers.get("authorization", ""))
    cookie = _COOKIE.search(headers.get("cookie", ""))
    return Proof(
        bearer[1] if bearer else "",
        cookie[1] if cookie else "",
        headers.get(user_header, ""),
        peer,
        address,
    )


def device_of(headers: Mapping[str, str]) -> str:
    """What a browser shows that has logged in before; empty for nothing of that form."""
    found = _DEVICE.search(headers.get("cookie", ""))
    return found[1] if found else ""


def looks_right(secret: str) -> bool:
    """Whether a login or key may have this secret; of any other there is nothing to look up."""
    return _SECRET.fullmatch(secret) is not None


def digest(secret: str) -> str:
    """What is kept of a secret that is random and long: enough to know it by."""
    return hashlib.sha256(secret.encode()).hexdigest()
