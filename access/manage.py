"""What an administrator does with accounts in a terminal; one row for each action."""

from argparse import Namespace
from collections.abc import Awaitable, Callable, Mapping

from access.accounts import Registry, new_key
from access.names import read_name
from protocol.access import Role
from protocol.accounts import AddAccount, DropCredential, SetDisabled, SetPassword
from protocol.refusals import FieldRefused

Action = Callable[[Registry, Namespace], Awaitable[list[str]]]


async def add_user(registry: Registry, options: Namespace) -> list[str]:
    """Make an account."""
    name = read_name(options.name)
    hashed = await registry.passwords.hashed(options.password)
    role: Role = "admin" if options.admin else "user"
    if not await registry.perform(AddAccount(name, role, hashed, registry.now())):
        raise FieldRefused("name", f"there is an account {name!r} already")
    return [f"Added {name} ({role})."]


async def list_users(registry: Registry, _: Namespace) -> list[str]:
    """All accounts, the oldest first."""
    accounts = await registry.accounts.accounts()
    return [
        f"{each.name}\t{each.role}\t{'disabled' if each.is_disabled else 'active'}"
        f"\tsince {each.created_at}"
        for each in accounts
    ] or ["There are no accounts."]


async def change_password(registry: Registry, options: Namespace) -> list[str]:
    """Set a password; all logins of the account end."""
    name = read_name(options.name)
    hashed = await registry.passwords.hashed(options.password)
    if not await registry.perform(SetPassword(name, hashed)):
        raise unknown(name)
    return [f"Changed the password of {name}; its logins have ended."]


async def disable_user(registry: Registry, options: Namespace) -> list[str]:
    """Shut an account out: its logins and keys count no more."""
    return [await _set_disabled(registry, options.name, is_disabled=True)]


async def enable_user(registry: Registry, options: Namespace) -> list[str]:
    """Let an account in again."""
    return [await _set_disabled(registry, options.name, is_disabled=False)]


async def create_key(registry: Registry, options: Namespace) -> list[str]:
    """Make a key; this is the one time that it is shown."""
    named, secret = await new_key(registry, read_name(options.name), options.label)
    return [secret, f"Key {named}; it is not shown again. Send it as: Authorization: Bearer …"]


async def list_keys(registry: Registry, _: Namespace) -> list[str]:
    """All keys, without their secrets."""
    keys = await registry.accounts.keys()
    return [f"{key.id}\t{key.account}\t{key.label}\tsince {key.created_at}" for key in keys] or [
        "There are no keys."
    ]


async def revoke_key(registry: Registry, options: Namespace) -> list[str]:
    """Forget a key: it counts no more."""
    if not await registry.perform(DropCredential(options.id)):
        raise FieldRefused("id", f"there is no key {options.id!r}")
    return [f"Revoked {options.id}."]


async def _set_disabled(registry: Registry, name: str, *, is_disabled: bool) -> str:
    if not await registry.perform(SetDisabled(read_name(name), is_disabled)):
        raise unknown(name)
    return f"{'Disabled' if is_disabled else 'Enabled'} {read_name(name)}."


def unknown(name: str) -> FieldRefused:
    """That there is no account of that name."""
    return FieldRefused("name", f"there is no account {name!r}")


WITH_PASSWORD = ("add", "passwd")

ACTIONS: Mapping[tuple[str, str], Action] = {
    ("user", "add"): add_user,
    ("user", "list"): list_users,
    ("user", "passwd"): change_password,
    ("user", "disable"): disable_user,
    ("user", "enable"): enable_user,
    ("key", "create"): create_key,
    ("key", "list"): list_keys,
    ("key", "revoke"): revoke_key,
}
