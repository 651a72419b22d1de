"""The ways to know who asks, one for each value of the setting."""

import pytest

from access.doors import Login, token_door
from access.gate import Gate, check_access
from access.proofs import NO_PROOF, Proof
from protocol.access import KEEPER, Person
from protocol.access_settings import Access
from protocol.errors import NotFound, SettingsError
from protocol.refusals import Unauthorized
from protocol.settings import General, Metrics, Settings
from tests.access.registry import Clock, registry

SECRET = "a-long-enough-secret"
TOKEN = Access(auth="token", token=SECRET)
PROXY = Access(auth="proxy", proxies=("10.0.0.0/8", "fd00::/8"), admins=("Root",))


def gate(access: Access) -> Gate:
    """The gate of these settings."""
    return Gate.of(access, registry())


async def whom(access: Access, proof: Proof) -> Person | None:
    """Who may pass; nobody for ``None``."""
    try:
        return await gate(access).person(proof)
    except Unauthorized:
        return None


async def test_open_door_lets_everybody_in_as_keeper() -> None:
    """And keeps nothing of what the head says, but where a client of another machine is."""
    assert await whom(Access(), NO_PROOF) == KEEPER
    head = {"authorization": f"Bearer {SECRET}"}
    assert gate(Access()).proof(head, "127.0.0.1") is NO_PROOF
    assert gate(Access()).proof(head, "10.0.0.1") == Proof(address="10.0.0.1")


@pytest.mark.parametrize(
    ("proof", "person"),
    [
        (Proof(bearer=SECRET), KEEPER),
        (NO_PROOF, None),
        (Proof(bearer=SECRET + "x"), None),
        (Proof(bearer=SECRET[:-1]), None),
        (Proof(cookie=SECRET), None),
        (Proof(user="root", peer="127.0.0.1"), None),
        (Proof(bearer="ünï"), None),
    ],
)
async def test_token_door_knows_one_secret(proof: Proof, person: Person | None) -> None:
    """In the header; what a cookie holds is made of it."""
    assert await whom(TOKEN, proof) == person


async def test_cookie_of_the_token_door_has_an_end() -> None:
    """That nobody can put off."""
    clock = Clock()
    door = token_door(Access(auth="token", token=SECRET, login_hours=2), clock)
    secret = (await door.log_in("", SECRET)).secret
    later = f"{int(secret.partition('.')[0]) + 9999}.{secret.partition('.')[2]}"
    assert await door.person(Proof(cookie=secret)) == KEEPER
    assert await door.person(Proof(cookie=later)) is None
    clock.forward(2.1)
    assert await door.person(Proof(cookie=secret)) is None


async def test_token_door_gives_browsers_a_cookie_that_is_not_the_secret() -> None:
    """For the secret as password."""
    login = await gate(TOKEN).door.log_in("", SECRET)
    assert SECRET not in login.secret
    assert await whom(TOKEN, Proof(cookie=login.secret)) == KEEPER
    assert repr(login) == "Login(Person(name='', role='admin', address=''))"
    with pytest.raises(Unauthorized):
        await gate(TOKEN).door.log_in("", "something else")


@pytest.mark.parametrize(
    ("proof", "person"),
    [
        (Proof(user="Ann", peer="10.1.2.3"), Person("ann", "user")),
        (Proof(user="ann@example.org", peer="fd00::1"), Person("ann@example.org", "user")),
        (Proof(user="ROOT", peer="::ffff:10.1.2.3"), Person("root", "admin")),
        (Proof(user="ann", peer="11.1.2.3"), None),
        (Proof(user="ann", peer="::ffff:11.1.2.3"), None),
        (Proof(user="ann", peer=""), None),
        (Proof(user="", peer="10.1.2.3"), None),
        (Proof(user="ann, root", peer="10.1.2.3"), None),
        (Proof(user="../ann", peer="10.1.2.3"), None),
        (Proof(bearer=SECRET, peer="10.1.2.3"), None),
    ],
)
async def test_proxy_door_believes_its_proxies_alone(proof: Proof, person: Person | None) -> None:
    """And names that can be one person's only."""
    assert await whom(PROXY, proof) == person


@pytest.mark.parametrize("access", [Access(), PROXY])
async def test_without_passwords_there_is_nothing_to_log_in_to(access: Access) -> None:
    """Nor to set up."""
    door = gate(access).door
    with pytest.raises(NotFound):
        await door.log_in("ann", "password")
    with pytest.raises(NotFound):
        await door.set_up("", "ann", "password")
    with pytest.raises(NotFound):
        await door.change_password(KEEPER, "", "")
    await door.log_out(NO_PROOF)
    assert await door.begin_set_up() == ""


@pytest.mark.parametrize(
    ("access", "named"),
    [
        (Access(auth="token"), "TOKEN"),
        (Access(auth="token", token="short"), "TOKEN"),
        (Access(auth="token", token="no header can hold it"), "TOKEN"),
        (Access(auth="proxy"), "PROXIES"),
        (Access(auth="proxy", proxies=("nowhere",)), "PROXIES"),
    ],
)
def test_settings_that_make_no_door_are_refused(access: Access, named: str) -> None:
    """The sentence names the setting, and shows no secret."""
    with pytest.raises(SettingsError) as refusal:
        gate(access)
    assert named in str(refusal.value)
    assert "short" not in str(refusal.value)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "server.example"])
def test_server_that_others_reach_is_not_open_by_accident(host: str) -> None:
    """Only when its keeper insists, or has named another way."""
    with pytest.raises(SettingsError, match="--insecure"):
        check_access(Settings(general=General(host=host)))
    check_access(Settings(general=General(host=host), access=Access(insecure=True)))
    check_access(Settings(general=General(host=host), access=Access(auth="users")))


@pytest.mark.parametrize("token", ["short", "no header can hold it"])
def test_token_for_metrics_is_as_long_as_that_for_all_else(token: str) -> None:
    """The sentence does not show it."""
    with pytest.raises(SettingsError, match="METRICS_TOKEN") as refusal:
        check_access(Settings(metrics=Metrics(token=token)))
    assert token not in str(refusal.value)
    check_access(Settings(metrics=Metrics(token=SECRET)))
    assert SECRET not in repr(Metrics(token=SECRET))


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_server_on_loopback_is_open(host: str) -> None:
    """As the web UI needs it."""
    check_access(Settings(general=General(host=host)))


def test_secret_does_not_show_in_settings() -> None:
    """They may end up in a log."""
    assert SECRET not in repr(Settings(access=TOKEN))
    assert "secret" not in repr(Login(KEEPER, "secret"))
