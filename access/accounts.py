"""The door of a server that has accounts of its own."""

import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from access.buckets import Buckets
from access.doors import WRONG, Door, Login, same
from access.names import read_name
from access.passwords import Passwords
from access.proofs import KEY_PREFIX, Proof, digest, looks_right
from protocol.access import Person
from protocol.accounts import (
    AccountWrite,
    AddAccount,
    AddCredential,
    DropCredential,
    SetPassword,
)
from protocol.errors import Busy, NotFound
from protocol.refusals import FieldRefused, Unauthorized
from storage.store import AccountReader

log = structlog.get_logger(__name__)

ID_BYTES, SECRET_BYTES, TOKEN_BYTES, DEVICE_BYTES = 6, 32, 16, 16


@dataclass(frozen=True, slots=True)
class Registry:
    """What accounts are kept and changed with.

    Attributes:
        accounts: Reads them.
        perform: Makes a change durable; whether it could be done. Raises StorageUnavailable.
        passwords: Hashes and checks.
        now: The wall clock with its zone.
        new_id: Random hex digits, two for each byte.
        guesses: Counts logins that fail, by name.

    """

    accounts: AccountReader
    perform: Callable[[AccountWrite], Awaitable[bool]]
    passwords: Passwords
    now: Callable[[], datetime]
    new_id: Callable[[int], str]
    guesses: Buckets


class AccountDoor(Door):
    """Who asks has an account here, and shows a login or a key of it."""

    def __init__(self, registry: Registry, *, login_hours: int) -> None:
        self._registry = registry
        self._lasts = timedelta(hours=login_hours)
        self._setup = ""

    async def begin_set_up(self) -> str:
        """The token of the first administrator, new at each start; empty where there are any."""
        accounts = await self._registry.accounts.accounts()
        self._setup = "" if accounts else self._registry.new_id(TOKEN_BYTES)
        return self._setup

    async def person(self, proof: Proof) -> Person | None:
        """Whose login or key it is."""
        secret = proof.bearer or proof.cookie
        if not looks_right(secret):
            return None
        return await self._registry.accounts.holder(digest(secret), self._registry.now())

    async def log_in(self, name: str, password: str, device: str = "") -> Login:
        """A new login of an account; it takes as long where there is no such account.

        Failures are counted for the name, or, so that no stranger can use up what its owner may
        try, for a device that has logged in to it before.
        """
        name = name.strip().lower()
        account = await self._registry.accounts.account(name)
        kept = account.password if account else ""
        is_known = bool(kept) and same(device, device_token(kept, device.partition(".")[0]))
        keys = (digest(device if is_known else name),)
        self._registry.guesses.take(keys)
        try:
            fits = await self._registry.passwords.fit(kept, password, is_known=is_known)
        except Busy:
            self._registry.guesses.give_back(keys)
            raise
        if account is None or not fits or account.is_disabled:
            log.warning("login.refused")
            raise Unauthorized(WRONG)
        self._registry.guesses.give_back(keys)
        return await self._begin(Person(account.name, account.role), account.password)

    async def log_out(self, proof: Proof) -> None:
        """Forget the login of the cookie, if there is one."""
        if await self.person(Proof(cookie=proof.cookie)) is not None:
            await self._registry.perform(DropCredential(digest(proof.cookie)))

    async def set_up(self, token: str, name: str, password: str) -> Login:
        """Make the first administrator, once."""
        if not self._setup:
            raise NotFound
        if not same(token, self._setup):
            raise Unauthorized("The setup token is wrong; it was printed at the start.")
        person = Person(read_name(name), "admin")
        hashed = await self._registry.passwords.hashed(password)
        added = AddAccount(person.name, "admin", hashed, self._registry.now(), as_first=True)
        if not await self._registry.perform(added):
            raise NotFound
        self._setup = ""
        log.info("account.added", role="admin")
        return await self._begin(person, hashed)

    async def change_password(self, person: Person, old: str, new: str) -> None:
        """Set it if the old one fits; all logins end, the asker's too."""
        account = await self._registry.accounts.account(person.name)
        if account is None or not await self._registry.passwords.fit(account.password, old):
            raise Unauthorized(WRONG)
        await self._registry.perform(
            SetPassword(person.name, await self._registry.passwords.hashed(new))
        )

    async def _begin(self, person: Person, password: str) -> Login:
        """A login, unless the password has been changed meanwhile."""
        secret = self._registry.new_id(SECRET_BYTES)
        at = self._registry.now()
        name = self._registry.new_id(ID_BYTES)
        facts = (digest(secret), person.name, "browser", at, at + self._lasts, password)
        kept = AddCredential(name, "login", *facts)
        if not await self._registry.perform(kept):
            raise Unauthorized(WRONG)
        log.info("login.begun")
        return Login(person, secret, device_token(password, self._registry.new_id(DEVICE_BYTES)))


def device_token(password: str, nonce: str) -> str:
    """By what an account knows a device; of use until its password is another.

    ``password`` is the hash that is kept: its salt makes it a key that nobody can guess.
    """
    return f"{nonce}.{hmac.new(password.encode(), nonce.encode(), 'sha256').hexdigest()}"


async def new_key(registry: Registry, account: str, label: str) -> tuple[str, str]:
    """The id and the secret of a new key; the secret cannot be seen again.

    Raises FieldRefused for an unknown account.
    """
    name, secret = registry.new_id(ID_BYTES), KEY_PREFIX + registry.new_id(SECRET_BYTES)
    at = registry.now()
    if not await registry.perform(AddCredential(name, "key", digest(secret), account, label, at)):
        raise FieldRefused("name", f"there is no account {account!r}")
    return name, secret
