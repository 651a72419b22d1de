"""The door of a server with accounts."""

import pytest

from access.accounts import AccountDoor, new_key
from access.proofs import Proof
from protocol.access import Person
from protocol.accounts import AccountWrite, AddAccount, DropCredential, SetDisabled
from protocol.errors import NotFound
from protocol.refusals import FieldRefused, RateLimited, Unauthorized
from tests.access.registry import GUESSES, Clock, registry
from tests.storage.examples import NOON
from tests.storage.memory_accounts import MemoryAccounts

PASSWORD = "correct horse"


class Scene:
    """A door with one account."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.kept = MemoryAccounts()
        self.written: list[AccountWrite] = []
        self.registry = registry(self.kept, self.clock, self.written)
        self.door = AccountDoor(self.registry, login_hours=2)

    async def add(self, name: str = "ann") -> "Scene":
        """Make an account."""
        hashed = await self.registry.passwords.hashed(PASSWORD)
        self.kept.change(AddAccount(name, "user", hashed, NOON))
        return self


async def test_login_is_a_cookie_that_lasts_for_a_while() -> None:
    """Whose it is, until its hours are over."""
    scene = await Scene().add()
    login = await scene.door.log_in(" Ann ", PASSWORD)
    assert await scene.door.person(Proof(cookie=login.secret)) == Person("ann", "user")
    scene.clock.forward(2.1)
    assert await scene.door.person(Proof(cookie=login.secret)) is None


@pytest.mark.parametrize(
    ("name", "password"), [("ann", "wrong horse"), ("bob", PASSWORD), ("", ""), ("ann", "x" * 2000)]
)
async def test_wrong_name_and_wrong_password_sound_the_same(name: str, password: str) -> None:
    """Nobody learns which accounts there are."""
    scene = await Scene().add()
    with pytest.raises(Unauthorized, match=r"^Name or password is wrong\.$"):
        await scene.door.log_in(name, password)


@pytest.mark.parametrize("name", ["ann", "Nobody"])
async def test_guesses_at_one_name_are_few(name: str) -> None:
    """Wherever they come from, and whether or not there is such an account."""
    scene = await Scene().add()
    for _ in range(GUESSES):
        with pytest.raises(Unauthorized):
            await scene.door.log_in(name, "wrong horse")
    with pytest.raises(RateLimited):
        await scene.door.log_in(f" {name.upper()} ", PASSWORD)


async def test_logins_that_succeed_are_no_guesses() -> None:
    """Of programs that log in each time, say."""
    scene = await Scene().add()
    for _ in range(3 * GUESSES):
        assert (await scene.door.log_in("ann", PASSWORD)).person.name == "ann"


async def test_strangers_cannot_keep_the_owner_out() -> None:
    """A device that has logged in before has guesses of its own, and they are few as well."""
    scene = await Scene().add()
    device = (await scene.door.log_in("ann", PASSWORD)).device
    for _ in range(GUESSES):
        with pytest.raises(Unauthorized):
            await scene.door.log_in("ann", "wrong horse")
    assert (await scene.door.log_in("ann", PASSWORD, device)).person.name == "ann"
    for _ in range(GUESSES):
        with pytest.raises(Unauthorized):
            await scene.door.log_in("ann", "wrong horse", device)
    with pytest.raises(RateLimited):
        await scene.door.log_in("ann", PASSWORD, device)


async def test_device_is_known_to_its_account_and_password_alone() -> None:
    """What others show, or what was given before the password was another, is a stranger's."""
    scene = await (await Scene().add()).add("bob")
    old = await scene.door.log_in("ann", PASSWORD)
    await scene.door.change_password(old.person, PASSWORD, PASSWORD)
    bobs = (await scene.door.log_in("bob", PASSWORD)).device
    shown = (old.device, bobs, f"{'0' * 32}.{'0' * 64}")
    for device in shown:
        with pytest.raises(Unauthorized):
            await scene.door.log_in("ann", "wrong horse", device)
    assert len(shown) == GUESSES
    with pytest.raises(RateLimited):
        await scene.door.log_in("ann", PASSWORD)


async def test_account_that_is_shut_out_cannot_log_in() -> None:
    """Nor does what it has count any more."""
    scene = await Scene().add()
    login = await scene.door.log_in("ann", PASSWORD)
    scene.kept.change(SetDisabled("ann", is_disabled=True))
    assert await scene.door.person(Proof(cookie=login.secret)) is None
    with pytest.raises(Unauthorized):
        await scene.door.log_in("ann", PASSWORD)


async def test_logging_out_ends_one_login() -> None:
    """The other browser stays in."""
    scene = await Scene().add()
    one, other = [await scene.door.log_in("ann", PASSWORD) for _ in range(2)]
    await scene.door.log_out(Proof(cookie=one.secret))
    assert await scene.door.person(Proof(cookie=one.secret)) is None
    assert await scene.door.person(Proof(cookie=other.secret)) is not None


@pytest.mark.parametrize("cookie", ["", "x", "f" * 64, "F" * 64, "ppx_" + "0" * 64, "0" * 65])
async def test_logging_out_without_a_login_writes_nothing(cookie: str) -> None:
    """The one writer of the store is not there for strangers."""
    scene = await Scene().add()
    await scene.door.log_out(Proof(cookie=cookie))
    login = await scene.door.log_in("ann", PASSWORD)
    await scene.door.log_out(Proof(bearer=login.secret))
    assert DropCredential not in map(type, scene.written)


async def test_secret_of_another_form_is_not_looked_up() -> None:
    """What a stranger makes up costs the store nothing."""
    scene = Scene()
    scene.kept.holder = None  # type: ignore[assignment, method-assign]
    for shown in ("guessed", "0" * 63, "ppx_" + "0" * 65, "0" * 63 + "\n"):
        assert await scene.door.person(Proof(bearer=shown, cookie=shown)) is None


async def test_key_is_shown_once_and_known_by_its_prefix() -> None:
    """What is kept of it cannot be used."""
    scene = await Scene().add()
    _, secret = await new_key(scene.registry, "ann", "laptop")
    assert secret.startswith("ppx_")
    assert await scene.door.person(Proof(bearer=secret)) == Person("ann", "user")
    with pytest.raises(FieldRefused, match="bob"):
        await new_key(scene.registry, "bob", "")


async def test_password_is_changed_by_who_knows_it() -> None:
    """All logins end; the old one is of no use."""
    scene = await Scene().add()
    login = await scene.door.log_in("ann", PASSWORD)
    ann = login.person
    with pytest.raises(Unauthorized):
        await scene.door.change_password(ann, "wrong horse", "new password")
    with pytest.raises(FieldRefused, match="password"):
        await scene.door.change_password(ann, PASSWORD, "short")
    await scene.door.change_password(ann, PASSWORD, "new password")
    assert await scene.door.person(Proof(cookie=login.secret)) is None
    with pytest.raises(Unauthorized):
        await scene.door.log_in("ann", PASSWORD)
    assert (await scene.door.log_in("ann", "new password")).person == ann


async def test_first_administrator_is_made_with_the_token_once() -> None:
    """A wrong token makes nobody, and does not use it up."""
    scene = Scene()
    token = await scene.door.begin_set_up()
    with pytest.raises(Unauthorized):
        await scene.door.set_up("guessed", "root", PASSWORD)
    with pytest.raises(FieldRefused):
        await scene.door.set_up(token, "not a name!", PASSWORD)
    login = await scene.door.set_up(token, "Root", PASSWORD)
    assert login.person == Person("root", "admin")
    with pytest.raises(NotFound):
        await scene.door.set_up(token, "evil", PASSWORD)
    assert await scene.door.begin_set_up() == ""


async def test_account_made_meanwhile_ends_the_setup() -> None:
    """On the command line, say."""
    scene = Scene()
    token = await scene.door.begin_set_up()
    await scene.add()
    with pytest.raises(NotFound):
        await scene.door.set_up(token, "evil", PASSWORD)
