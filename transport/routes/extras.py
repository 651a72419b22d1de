from protocol.base import Value
from protocol.errors import (
    Busy,
    ModelUnavailable,
    SearchUnavailable,
    ServerDraining,
    ServiceError,
    TooLarge,
)
from protocol.extras import Discover, FindMedia, Media, MediaKind, NewsItem, Suggest
from transport.bodies import (
    AskedMedia,
    MissingField,
    TalkBody,
    UnknownModel,
    conversation_of,
    models_of,
    text_of,
)
from transport.http import UNREADABLE, Request, Response, Route
from transport.services import Services

NOT_FOUND: tuple[type[ServiceError], ...] = (SearchUnavailable, Busy, ServerDraining)
NOT_ASKED: tuple[type[ServiceError], ...] = (*UNREADABLE, UnknownModel)
NO_MEDIA = (*NOT_ASKED, MissingField, TooLarge, *NOT_FOUND)


class Image(Value, frozen=True):
    """A picture, and the page it is on."""

    img_src: str
    url: str
    title: str


class Images(Value, frozen=True):
    """At most ten."""

    images: list[Image]


class Videos(Value, frozen=True):
    """At most ten; ``iframe_src`` is where one plays."""

    videos: tuple[Media, ...]


class Suggestions(Value, frozen=True):
    """May be empty."""

    suggestions: tuple[str, ...]


class News(Value, frozen=True):
    """May be empty."""

    blogs: tuple[NewsItem, ...]


async def find_images(request: Request, services: Services) -> Response:
    """At most ten pictures, all complete."""
    found = await _find(request, services, "images")
    return Response.of(Images([Image(item.img_src, item.url, item.title) for item in found]))


async def find_videos(request: Request, services: Services) -> Response:
    """At most ten videos, all complete."""
    return Response.of(Videos(await _find(request, services, "videos")))


async def suggest(request: Request, services: Services) -> Response:
    """Questions that could follow."""
    body = request.body_as(TalkBody)
    models = models_of(body.chat_model, None, services.asking.resolve)
    history = conversation_of(body.chat_history)
    suggested = await services.asking.extras(Suggest(history, models.chat))
    return Response.of(Suggestions(suggested.suggestions))


async def discover(_: Request, services: Services) -> Response:
    """News of the topics and sites in the settings, mixed."""
    found = await services.asking.extras(Discover())
    return Response.of(News(found.items))


async def _find(request: Request, services: Services, kind: MediaKind) -> tuple[Media, ...]:
    asking = services.asking
    body = request.body_as(TalkBody)
    query = text_of(body.query, "query", asking.question_chars)
    history = conversation_of(body.chat_history, query)
    models = models_of(body.chat_model, None, asking.resolve)
    found = await asking.extras(FindMedia(kind, query, history, models.chat))
    return found.items


ROUTES = (
    Route("POST", "/api/images", find_images, body=AskedMedia, shows=Images, errors=NO_MEDIA),
    Route("POST", "/api/videos", find_videos, body=AskedMedia, shows=Videos, errors=NO_MEDIA),
    Route(
        "POST",
        "/api/suggestions",
        suggest,
        body=TalkBody,
        shows=Suggestions,
        errors=(*NOT_ASKED, ModelUnavailable, Busy, ServerDraining),
    ),
    Route("GET", "/api/discover", discover, shows=News, errors=NOT_FOUND),
)
