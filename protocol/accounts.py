"""Accounts and what they prove themselves with, as the store has and changes them."""

from datetime import datetime
from typing import Literal

from protocol.access import Role
from protocol.base import Value

CredentialKind = Literal["login", "key"]


class Account(Value, frozen=True):
    """Somebody who may ask; ``password`` is a hash, ``created_at`` ISO 8601 in UTC."""

    name: str
    role: Role
    password: str
    is_disabled: bool
    created_at: str

    def __repr__(self) -> str:
        """Say who it is, not the hash."""
        return f"Account({self.name!r}, {self.role!r})"


class Credential(Value, frozen=True):
    """A login or a key, without its secret; ``expires_at`` is empty for one that lasts."""

    id: str
    kind: CredentialKind
    account: str
    label: str
    created_at: str
    expires_at: str


class AddAccount(Value, frozen=True):
    """Make an account; refused where the name is taken.

    The first administrator takes over what was kept before there were accounts. One that is added
    ``as_first`` is refused where there is any account.
    """

    name: str
    role: Role
    password: str
    at: datetime
    as_first: bool = False

    def __repr__(self) -> str:
        """Say who it is, not the hash."""
        return f"AddAccount({self.name!r}, {self.role!r})"


class SetPassword(Value, frozen=True):
    """Give an account another password, and end all its logins; refused for an unknown one."""

    name: str
    password: str

    def __repr__(self) -> str:
        """Say who it is, not the hash."""
        return f"SetPassword({self.name!r})"


class SetDisabled(Value, frozen=True):
    """Shut an account out and end its logins, or let it in again; refused for an unknown one."""

    name: str
    is_disabled: bool


class AddCredential(Value, frozen=True):
    """Keep a login or key of an account by the digest of its secret.

    Logins that have expired are removed, and the oldest of the account beyond a bounded number;
    refused for an unknown account, and where its password is not the one of that hash any more.
    """

    id: str
    kind: CredentialKind
    digest: str
    account: str
    label: str
    at: datetime
    expires_at: datetime | None = None
    password: str | None = None


class DropCredential(Value, frozen=True):
    """Forget a login or key, named by its id or its digest; refused for an unknown one."""

    named: str


AccountWrite = AddAccount | SetPassword | SetDisabled | AddCredential | DropCredential
