"""Accounts and credentials: the contract of every store."""

from datetime import timedelta

from msgspec.structs import replace

from protocol.access import Person
from protocol.accounts import (
    AddAccount,
    AddCredential,
    DropCredential,
    SetDisabled,
    SetPassword,
)
from protocol.writes import Write
from storage.accounts import MOST_LOGINS
from storage.store import Store
from tests.storage.examples import NOON

ANN = AddAccount("ann", "user", "hash", NOON)
LATER = NOON + timedelta(hours=1)


def login(number: int = 0, *, lasts_h: int = 2, account: str = "ann") -> AddCredential:
    """A login whose digest is ``d`` with its number."""
    until = NOON + timedelta(hours=lasts_h)
    return AddCredential(f"i{number}", "login", f"d{number}", account, "browser", NOON, until)


KEY = AddCredential("k", "key", "dk", "ann", "laptop", NOON)


async def test_account_is_read_as_it_was_made(store: Store) -> None:
    """With its hash, which only the door looks at."""
    assert await store.commit([ANN]) == ()
    account = await store.accounts.account("ann")
    assert account is not None
    assert (account.name, account.role, account.password) == ("ann", "user", "hash")
    assert not account.is_disabled
    assert "hash" not in repr(account)
    assert await store.accounts.account("bob") is None


async def test_name_that_is_taken_is_refused(store: Store) -> None:
    """The account stays as it was."""
    again = AddAccount("ann", "admin", "other", NOON)
    assert await store.commit([ANN, again]) == (again,)
    assert [each.role for each in await store.accounts.accounts()] == ["user"]


async def test_first_account_can_be_made_once(store: Store) -> None:
    """Of two that would be the first, the second is refused."""
    first = AddAccount("root", "admin", "hash", NOON, as_first=True)
    second = AddAccount("evil", "admin", "hash", NOON, as_first=True)
    assert await store.commit([first, second]) == (second,)


async def test_login_counts_until_it_ends(store: Store) -> None:
    """By its digest; a key has no end."""
    await store.commit([ANN, login(), KEY])
    holders = [
        await store.accounts.holder(digest, at)
        for digest in ("d0", "dk", "unknown")
        for at in (LATER, NOON + timedelta(hours=2))
    ]
    ann = Person("ann", "user")
    assert holders == [ann, None, ann, ann, None, None]


async def test_account_that_is_shut_out_holds_nothing(store: Store) -> None:
    """Until it is let in again."""
    await store.commit([ANN, KEY, SetDisabled("ann", is_disabled=True)])
    assert await store.accounts.holder("dk", NOON) is None
    await store.commit([SetDisabled("ann", is_disabled=False)])
    assert await store.accounts.holder("dk", NOON) is not None


async def test_other_password_ends_the_logins_and_not_the_keys(store: Store) -> None:
    """Whoever knew the old one is out; programs go on."""
    await store.commit([ANN, login(), KEY, SetPassword("ann", "new")])
    account = await store.accounts.account("ann")
    assert account is not None
    assert account.password == "new"
    assert await store.accounts.holder("d0", NOON) is None
    assert await store.accounts.holder("dk", NOON) is not None


async def test_login_by_a_password_that_has_been_changed_is_refused(store: Store) -> None:
    """It was on its way when that was changed: it must not outlive it."""
    late = replace(login(), password="hash")
    assert await store.commit([ANN, late]) == ()
    assert await store.commit([SetPassword("ann", "new"), late]) == (late,)
    assert await store.accounts.holder("d0", NOON) is None


async def test_account_that_is_let_in_again_has_no_old_logins(store: Store) -> None:
    """Whoever had them logs in anew."""
    await store.commit([ANN, login(), SetDisabled("ann", is_disabled=True)])
    await store.commit([SetDisabled("ann", is_disabled=False)])
    assert await store.accounts.holder("d0", NOON) is None


async def test_credential_is_dropped_by_id_or_digest(store: Store) -> None:
    """An unknown one is refused."""
    await store.commit([ANN, login(), KEY])
    assert await store.commit([DropCredential("k"), DropCredential("d0")]) == ()
    assert await store.accounts.keys() == []
    assert await store.commit([DropCredential("k")]) == (DropCredential("k"),)


async def test_oldest_logins_give_way(store: Store) -> None:
    """And those that have ended, with the next one that begins."""
    await store.commit([ANN, KEY, *(login(number) for number in range(MOST_LOGINS + 3))])
    held = [bool(await store.accounts.holder(f"d{n}", NOON)) for n in range(MOST_LOGINS + 3)]
    assert held == [False] * 3 + [True] * MOST_LOGINS
    assert [key.label for key in await store.accounts.keys()] == ["laptop"]


async def test_unknown_account_gets_nothing(store: Store) -> None:
    """Every change of it is refused."""
    writes: list[Write] = [login(), SetPassword("ann", "x"), SetDisabled("ann", is_disabled=True)]
    assert await store.commit(writes) == tuple(writes)
