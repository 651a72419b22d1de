"""Accounts as plain lists."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from protocol.access import Person
from protocol.accounts import (
    Account,
    AccountWrite,
    AddAccount,
    AddCredential,
    Credential,
    DropCredential,
    SetDisabled,
    SetPassword,
)
from storage.accounts import MOST_LOGINS
from storage.metadata import wire_time


class MemoryAccounts:
    """Accounts that are forgotten with everything else."""

    def __init__(self) -> None:
        self._accounts: dict[str, Account] = {}
        self._credentials: dict[str, Credential] = {}  # by their digests

    async def account(self, name: str) -> Account | None:
        """See AccountReader."""
        return self._accounts.get(name)

    async def accounts(self) -> list[Account]:
        """See AccountReader."""
        return list(self._accounts.values())

    async def holder(self, digest: str, at: datetime) -> Person | None:
        """See AccountReader."""
        shown = self._credentials.get(digest)
        if shown is None or (shown.expires_at and shown.expires_at <= wire_time(at)):
            return None
        account = self._accounts[shown.account]
        return None if account.is_disabled else Person(account.name, account.role)

    async def keys(self) -> list[Credential]:
        """See AccountReader."""
        return [each for each in self._credentials.values() if each.kind == "key"]

    def change(self, write: AccountWrite) -> bool:
        """Whether it could be done."""
        return self._CHANGES[type(write)](self, write)

    def is_first_admin(self, added: AddAccount) -> bool:
        """Whether it is the one administrator that there is."""
        admins = [each.name for each in self._accounts.values() if each.role == "admin"]
        return admins == [added.name]

    def _add(self, write: AddAccount) -> bool:
        if write.name in self._accounts or (write.as_first and self._accounts):
            return False
        facts = (write.name, write.role, write.password)
        self._accounts[write.name] = Account(*facts, False, wire_time(write.at))
        return True

    def _set_password(self, write: SetPassword) -> bool:
        self._drop(lambda each: each.kind == "login" and each.account == write.name)
        return self._replace(write.name, password=write.password)

    def _set_disabled(self, write: SetDisabled) -> bool:
        self._drop(lambda each: each.kind == "login" and each.account == write.name)
        return self._replace(write.name, is_disabled=write.is_disabled)

    def _add_credential(self, write: AddCredential) -> bool:
        now = wire_time(write.at)
        self._drop(lambda each: bool(each.expires_at) and each.expires_at <= now)
        account = self._accounts.get(write.account)
        if account is None or write.password not in {None, account.password}:
            return False
        expires_at = wire_time(write.expires_at) if write.expires_at else ""
        facts = (write.id, write.kind, write.account, write.label, now, expires_at)
        self._credentials[write.digest] = Credential(*facts)
        logins = [each for each in self._credentials.values() if each.kind == "login"]
        old = [each for each in logins if each.account == write.account][:-MOST_LOGINS]
        self._drop(lambda each: each in old)
        return True

    def _drop_credential(self, write: DropCredential) -> bool:
        named = self._credentials.get(write.named)
        return self._drop(lambda each: each is named or each.id == write.named)

    def _drop(self, goes: Callable[[Credential], bool]) -> bool:
        gone = [digest for digest, each in self._credentials.items() if goes(each)]
        for digest in gone:
            del self._credentials[digest]
        return bool(gone)

    def _replace(self, name: str, **changed: Any) -> bool:
        if name not in self._accounts:
            return False
        self._accounts[name] = msgspec.structs.replace(self._accounts[name], **changed)
        return True

    _CHANGES: Mapping[type[AccountWrite], Callable[[Any, Any], bool]] = {
        AddAccount: _add,
        SetPassword: _set_password,
        SetDisabled: _set_disabled,
        AddCredential: _add_credential,
        DropCredential: _drop_credential,
    }
