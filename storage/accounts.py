"""Accounts and credentials as rows."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

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
from storage.database import Database, Statements
from storage.metadata import wire_time

MOST_LOGINS = 50  # of one account; the oldest give way

_ACCOUNTS = "SELECT name, role, password, is_disabled, created_at FROM account"

_HOLDER = """
SELECT account.name, account.role FROM credential
JOIN account ON account.number = credential.account
WHERE digest = ? AND (expires_at = '' OR expires_at > ?) AND NOT is_disabled
"""

_CREDENTIALS = """
SELECT credential.id, kind, account.name, label, credential.created_at, expires_at
FROM credential JOIN account ON account.number = credential.account
WHERE kind = ? ORDER BY credential.number
"""

_ADD_ACCOUNT = """
INSERT INTO account (name, role, password, created_at)
SELECT ?, ?, ?, ? WHERE NOT ? OR NOT EXISTS (SELECT 1 FROM account)
ON CONFLICT (name) DO NOTHING
"""

_TAKE_OVER = (
    "UPDATE chat SET owner = ? WHERE owner = ''",
    "UPDATE upload SET owner = ? WHERE owner = ''",
)

_END_LOGINS = """
DELETE FROM credential
WHERE kind = 'login' AND account = (SELECT number FROM account WHERE name = ?)
"""

_ADD_CREDENTIAL = """
INSERT INTO credential (id, kind, digest, account, label, created_at, expires_at)
SELECT ?, ?, ?, number, ?, ?, ? FROM account WHERE name = ? AND coalesce(password = ?, TRUE)
"""

_DROP_EXPIRED = "DELETE FROM credential WHERE expires_at <> '' AND expires_at <= ?"

_DROP_OLDEST = """
DELETE FROM credential WHERE kind = 'login' AND number IN (
    SELECT credential.number FROM credential JOIN account ON account.number = credential.account
    WHERE account.name = ? AND kind = 'login' ORDER BY credential.number DESC LIMIT -1 OFFSET ?
)
"""


class SqliteAccounts:
    """The accounts of a SQLite file."""

    def __init__(self, reader: Database) -> None:
        self._reader = reader

    async def account(self, name: str) -> Account | None:
        """See AccountReader."""
        rows = await self._reader.rows(f"{_ACCOUNTS} WHERE name = ?", name)
        return _account(rows[0]) if rows else None

    async def accounts(self) -> list[Account]:
        """See AccountReader."""
        return [_account(row) for row in await self._reader.rows(f"{_ACCOUNTS} ORDER BY number")]

    async def holder(self, digest: str, at: datetime) -> Person | None:
        """See AccountReader."""
        rows = await self._reader.rows(_HOLDER, digest, wire_time(at))
        return Person(*rows[0]) if rows else None

    async def keys(self) -> list[Credential]:
        """See AccountReader."""
        return [Credential(*row) for row in await self._reader.rows(_CREDENTIALS, "key")]


def _account(row: tuple[Any, ...]) -> Account:
    name, role, password, is_disabled, created_at = row
    return Account(name, role, password, bool(is_disabled), created_at)


def change_accounts(statements: Statements, write: AccountWrite) -> bool:
    """Turn the write into rows; whether it could be done."""
    return bool(_CHANGES[type(write)](statements, write))


def _add_account(statements: Statements, write: AddAccount) -> int:
    admins = statements.rows("SELECT 1 FROM account WHERE role = 'admin' LIMIT 1")
    values = (write.name, write.role, write.password, wire_time(write.at), write.as_first)
    added = statements.run(_ADD_ACCOUNT, *values)
    if added and write.role == "admin" and not admins:
        for taking_over in _TAKE_OVER:
            statements.run(taking_over, write.name)
    return added


def _set_password(statements: Statements, write: SetPassword) -> int:
    statements.run(_END_LOGINS, write.name)
    return statements.run(
        "UPDATE account SET password = ? WHERE name = ?", write.password, write.name
    )


def _set_disabled(statements: Statements, write: SetDisabled) -> int:
    statements.run(_END_LOGINS, write.name)
    return statements.run(
        "UPDATE account SET is_disabled = ? WHERE name = ?", write.is_disabled, write.name
    )


def _add_credential(statements: Statements, write: AddCredential) -> int:
    statements.run(_DROP_EXPIRED, wire_time(write.at))
    expires_at = wire_time(write.expires_at) if write.expires_at else ""
    values = (write.id, write.kind, write.digest, write.label, wire_time(write.at), expires_at)
    added = statements.run(_ADD_CREDENTIAL, *values, write.account, write.password)
    statements.run(_DROP_OLDEST, write.account, MOST_LOGINS)
    return added


def _drop_credential(statements: Statements, write: DropCredential) -> int:
    return statements.run(
        "DELETE FROM credential WHERE id = ? OR digest = ?", write.named, write.named
    )


_CHANGES: Mapping[type[AccountWrite], Callable[[Statements, Any], int]] = {
    AddAccount: _add_account,
    SetPassword: _set_password,
    SetDisabled: _set_disabled,
    AddCredential: _add_credential,
    DropCredential: _drop_credential,
}
