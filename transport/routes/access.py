from access.doors import Login
from access.proofs import COOKIE, DEVICE_COOKIE, device_of
from protocol.access import Person, Role
from protocol.base import Value
from protocol.errors import Busy, NotFound, ServiceError, StorageUnavailable
from protocol.refusals import FieldRefused, Unauthorized
from transport.http import UNREADABLE, Headers, Request, Response, Route
from transport.services import Services

# Browsers send it to this server alone, and only for its own pages.
COOKIE_TRAITS = "Path=/; HttpOnly; SameSite=Strict"
LONGEST_S = 400 * 86_400  # what browsers allow at most; the server ends it earlier


class LoginBody(Value, frozen=True):
    """A name with its password; a server with one secret asks no name."""

    password: str
    name: str = ""


class SetUpBody(Value, frozen=True):
    """The token that was printed at the start, and the first administrator."""

    token: str
    name: str
    password: str


class PasswordBody(Value, frozen=True):
    """The password as it is, and as it shall be."""

    old: str
    new: str


class ShownPerson(Value, frozen=True):
    """Somebody, and what they may do; the name is empty where there are no accounts."""

    name: str
    role: Role


class Done(Value, frozen=True):
    """That it is done."""

    message: str


async def log_in(request: Request, services: Services) -> Response:
    """Begin a login, and give the browser its cookie; 401 for a wrong name or password."""
    body, device = request.body_as(LoginBody), device_of(request.headers)
    return _welcome(await services.gate.door.log_in(body.name, body.password, device), request)


async def log_out(request: Request, services: Services) -> Response:
    """End the login of the cookie, and take the cookie back."""
    await services.gate.door.log_out(request.proof)
    return Response.of(Done("Logged out"), headers=_cookie("", request, lasts_s=0))


async def set_up(request: Request, services: Services) -> Response:
    """Make the first administrator; 404 where that has been done, 401 for a wrong token."""
    body = request.body_as(SetUpBody)
    return _welcome(await services.gate.door.set_up(body.token, body.name, body.password), request)


async def change_password(request: Request, services: Services) -> Response:
    """Change the password of who asks; all logins of the account end."""
    body = request.body_as(PasswordBody)
    await services.gate.door.change_password(request.person, body.old, body.new)
    return Response.of(Done("Password changed"))


async def show_me(request: Request, _: Services) -> Response:
    """Who asks, and what they may do; the name is empty where there are no accounts."""
    return Response.of(_shown(request.person))


def _welcome(login: Login, request: Request) -> Response:
    headers = _cookie(login.secret, request, lasts_s=LONGEST_S)
    if login.device:
        device = _cookie(login.device, request, lasts_s=LONGEST_S, name=DEVICE_COOKIE)
        headers = (*headers, *device)
    return Response.of(_shown(login.person), headers=headers)


def _shown(person: Person) -> ShownPerson:
    return ShownPerson(person.name, person.role)


def _cookie(secret: str, request: Request, *, lasts_s: int, name: str = COOKIE) -> Headers:
    """A browser that came by https, which its page's origin tells, must not send it otherwise."""
    is_secure = request.headers.get("origin", "").lower().startswith("https://")
    traits = f"{COOKIE_TRAITS}; Max-Age={lasts_s}{'; Secure' if is_secure else ''}"
    return (("Set-Cookie", f"{name}={secret}; {traits}"),)


NO_LOGIN: tuple[type[ServiceError], ...] = (
    *UNREADABLE,
    Busy,
    Unauthorized,
    NotFound,
    StorageUnavailable,
)

ROUTES = (
    Route(
        "POST",
        "/api/login",
        log_in,
        access="anybody",
        spends="logins",
        body=LoginBody,
        shows=ShownPerson,
        errors=NO_LOGIN,
    ),
    Route(
        "POST",
        "/api/logout",
        log_out,
        access="anybody",
        spends="logins",
        shows=Done,
        errors=(StorageUnavailable,),
    ),
    Route(
        "POST",
        "/api/setup",
        set_up,
        access="anybody",
        spends="logins",
        body=SetUpBody,
        shows=ShownPerson,
        errors=(*NO_LOGIN, FieldRefused),
    ),
    Route(
        "POST",
        "/api/password",
        change_password,
        spends="logins",
        body=PasswordBody,
        shows=Done,
        errors=(*NO_LOGIN, FieldRefused),
    ),
    Route("GET", "/api/me", show_me, shows=ShownPerson),
)
