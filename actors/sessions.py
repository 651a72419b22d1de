"""All sessions, and how a connection becomes one."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import ClassVar

import structlog

from access.buckets import nothing
from access.quotas import Quotas
from actors.base import Actor, on
from actors.context import bound
from actors.errors import ActorDead, MailboxFull
from actors.outlet import TOO_SLOW, TOO_SLOW_REASON, Outlet, Say
from actors.policy import Policy
from actors.ref import ChildLost, Ref
from actors.session import FrameCame, House, Session
from protocol.access import Identify, Person, counted
from protocol.base import Message, Request, Value
from protocol.connection import Connection, ConnectionGone
from protocol.errors import Busy, ServiceError
from protocol.frames import SIGNAL_OPEN, SUBPROTOCOL, drain_frame, error_frame
from protocol.ids import SessionId
from protocol.refusals import RateLimited, Unauthorized
from protocol.settings import Limits
from protocol.values import ModelChoice, Models
from providers.service import Providers

log = structlog.get_logger(__name__)

NORMAL = 1000
INTERNAL_ERROR = 1011
POLICY = 1008
UNAUTHORIZED = 4401
INTERNAL_STATUS = 500


class Opened(Value, frozen=True):
    """The two actors of a session."""

    session: Ref
    outlet: Ref


class OpenSession(Request[Opened], frozen=True):
    """Start a session on a connection."""

    connection: Connection
    models: Models


class CloseSession(Message, frozen=True):
    """The client has left."""

    opened: Opened


class AnnounceDrain(Message, frozen=True):
    """The server is about to leave, and may be back after that time."""

    retry_after_ms: int


Register = dict[Ref, tuple[Opened, Connection]]  # both actors of each session; outlives restarts


class Sessions(Actor):
    """Owns every session and its outlet; a session that keeps failing is closed, not the rest."""

    policy: ClassVar[Policy] = Policy(restarts=5, escalate=True, keeps_children=True)
    mailbox_bound: ClassVar[int] = 10_000

    def __init__(self, house: House, opened: Register) -> None:
        super().__init__()
        self._house = house
        self._open = opened

    @on(OpenSession)
    async def open_session(self, message: OpenSession) -> Opened:
        """Start outlet and session; the outlet says that the session is open."""
        house = self._house
        session_id = SessionId(house.new_id())
        with bound(session_id=session_id):
            outlet = self.spawn(Outlet, message.connection, [], house.pace)
            is_v2 = message.connection.subprotocol == SUBPROTOCOL
            session = self.spawn(Session, session_id, message.models, outlet, house, is_v2=is_v2)
            log.debug("session.opened")
        outlet.tell(Say(SIGNAL_OPEN))
        opened = Opened(session, outlet)
        self._open[session] = self._open[outlet] = (opened, message.connection)
        return opened

    @on(CloseSession)
    async def close_session(self, message: CloseSession) -> None:
        """Stop both; turns that still run belong to the server and go on."""
        self._forget(message.opened)

    @on(AnnounceDrain)
    async def announce_drain(self, message: AnnounceDrain) -> None:
        """Tell the clients that know such a frame; the others see nothing of it."""
        frame = drain_frame(message.retry_after_ms)
        outlets = {opened.outlet: connection for opened, connection in self._open.values()}
        for outlet, connection in outlets.items():
            if connection.subprotocol == SUBPROTOCOL:
                with suppress(ActorDead, MailboxFull):  # it has left, or takes nothing
                    outlet.tell(Say(frame))

    @on(ChildLost)
    async def child_lost(self, message: ChildLost) -> None:
        """Close the connection of a session that cannot be kept alive."""
        opened, connection = self._open.get(message.child, (None, None))
        if opened is not None and connection is not None:
            self._forget(opened)
            await connection.close(INTERNAL_ERROR, "internal error")

    def _forget(self, opened: Opened) -> None:
        for ref in (opened.session, opened.outlet):
            self._open.pop(ref, None)
            ref.stop(drain=False, timeout=1.0)


def chosen_models(query: Mapping[str, str]) -> Models:
    """The models that the query parameters of a connection name."""
    chat = ModelChoice(
        query.get("chatModelProvider", ""),
        query.get("chatModel", ""),
        query.get("openAIBaseURL", ""),
        query.get("openAIApiKey", ""),
    )
    embedding = ModelChoice(
        query.get("embeddingModelProvider", ""), query.get("embeddingModel", "")
    )
    return Models(chat, embedding)


def close_code(error: ServiceError) -> int:
    """What a connection is closed with that cannot be talked on."""
    if isinstance(error, Unauthorized):
        return UNAUTHORIZED
    if isinstance(error, RateLimited | Busy):
        return POLICY
    return NORMAL if error.status < INTERNAL_STATUS else INTERNAL_ERROR


class Conversation:
    """What the transport calls with each new connection."""

    def __init__(self, sessions: Ref, providers: Providers, limits: Limits, quotas: Quotas) -> None:
        self._sessions = sessions
        self._providers = providers
        self._limits = limits
        self._quotas = quotas

    async def __call__(
        self, connection: Connection, query: Mapping[str, str], identify: Identify
    ) -> None:
        """Talk until the client leaves, or is nobody who may."""
        leave = nothing
        try:
            leave = self._count(await identify())
            models = self._providers.resolve(chosen_models(query))
            opened = await self._sessions.ask(
                OpenSession(connection, models), timeout=self._limits.send_s
            )
        except ServiceError as error:
            leave()
            await self._refuse(connection, error)
            return
        try:
            await self._listen(connection, opened, identify)
        finally:
            leave()
            with suppress(ActorDead):  # the program is being stopped, and its sessions with it
                self._sessions.tell(CloseSession(opened))

    def _count(self, person: Person) -> Callable[[], None]:
        """Count one more connection of theirs; by their address it has been counted before."""
        keys = counted("", person.name)
        self._quotas.spend("handshakes", keys)
        return self._quotas.sockets.enter(keys)

    async def _refuse(self, connection: Connection, error: ServiceError) -> None:
        log.info("session.refused", key=error.key)
        with suppress(ConnectionGone):
            await connection.send(error_frame(error))
        await connection.close(close_code(error))

    async def _listen(self, connection: Connection, opened: Opened, identify: Identify) -> None:
        async for frame in connection.frames():
            try:
                came = FrameCame(frame, await identify())
                await opened.session.ask(came, timeout=self._limits.send_s)
            except (ActorDead, MailboxFull):
                await connection.close(TOO_SLOW, TOO_SLOW_REASON)
            except Unauthorized as error:
                await self._refuse(connection, error)
            except ServiceError as error:
                opened.outlet.tell(Say(error_frame(error)))
