"""The settings of who may ask, and how it is known who it is."""

from typing import Annotated, Literal

from msgspec import Meta

from protocol.base import Value
from protocol.setting import Origin, described


class Access(Value, frozen=True):
    """Who may ask."""

    auth: Annotated[
        Literal["open", "token", "users", "proxy"],
        described(
            "how it is known who asks: not at all, by one secret, by accounts, or by a proxy",
            env=("PERPLEXICA_AUTH",),
        ),
    ] = "open"
    insecure: Annotated[
        bool, described("let everybody in unasked on an address that others reach, with AUTH open")
    ] = False
    token: Annotated[
        str,
        described("the secret of AUTH token, 16 characters at least", secret=True),
    ] = ""
    login_hours: Annotated[
        Annotated[int, Meta(ge=1, le=8760)], described("hours that the login of a browser lasts")
    ] = 720
    proxies: Annotated[
        tuple[str, ...], described("networks of the proxies before the server, which are believed")
    ] = ()
    user_header: Annotated[
        str, described("header in which a proxy names its user, with AUTH proxy")
    ] = "X-Forwarded-User"
    admins: Annotated[
        tuple[str, ...], described("users of the proxy who are administrators, with AUTH proxy")
    ] = ()
    hosts: Annotated[
        tuple[str, ...],
        described("names that the server is asked under, beside addresses and private names"),
    ] = ()
    origins: Annotated[
        tuple[Origin, ...],
        described("origins of web pages that may ask, beside those of the same host"),
    ] = ()

    def __repr__(self) -> str:
        """Name how it is known who asks, never the secret."""
        return f"Access({self.auth!r})"
