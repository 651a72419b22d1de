from contextlib import AsyncExitStack, aclosing

from actors.unkept import Following
from protocol.base import Value
from protocol.errors import TURN_ERRORS, InvalidFormat, TooLarge, known_error
from protocol.events import Failed
from protocol.frames import Source, source
from transport.bodies import (
    AskedSearch,
    MissingField,
    SearchBody,
    UnknownFocusMode,
    UnknownModel,
    models_of,
    question_of,
)
from transport.event_stream import HEADERS, EventStream
from transport.http import Request, Response, Route
from transport.refusals import UnsupportedMediaType
from transport.services import Services


class Answer(Value, frozen=True):
    """An answer whose numbers in brackets count its sources, from 1."""

    message: str
    sources: list[Source]


async def search(request: Request, services: Services) -> Response:
    """Answer a question that is not kept: whole, or as events while it is written."""
    asking = services.asking
    body = _body(request)
    question = question_of(body, modes=asking.modes, most=asking.question_chars)
    models = models_of(body.chat_model, body.embedding_model, asking.resolve)
    following = asking.answer(question, models, request.person)
    return await (_streamed(following) if body.stream else _whole(following))


def _body(request: Request) -> SearchBody:
    try:
        return request.body_as(SearchBody)
    except UnsupportedMediaType as error:  # as the reference, which sees no body then
        raise MissingField("focus mode or query") from error


async def _whole(following: Following) -> Response:
    async with aclosing(following):
        journal = await following.ended()
    end = journal.entries[-1].event
    if isinstance(end, Failed):
        raise known_error(end.key, end.sentence)
    sources = [source(node) for node in journal.sources or ()]
    return Response.of(Answer(journal.text, sources))


async def _streamed(following: Following) -> Response:
    """Wait for the first event, so that a turn that cannot begin has its status."""
    async with AsyncExitStack() as stack:
        stack.push_async_callback(following.aclose)
        await following.begun()
        stack.pop_all()
    return Response(headers=HEADERS, pieces=EventStream(following))


ROUTES = (
    Route(
        "POST",
        "/api/search",
        search,
        body=AskedSearch,
        shows=Answer,
        tells_events=True,
        errors=(
            *(InvalidFormat, MissingField, UnknownFocusMode, UnknownModel, TooLarge),
            *TURN_ERRORS,
        ),
    ),
)
