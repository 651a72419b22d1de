from functools import partial

import msgspec

from protocol.extras import Discover, FindMedia, Media, MediaKind, Suggest
from transport.bodies import TalkBody, conversation_of, models_of, text_of
from transport.http import Request, Response, Route
from transport.services import Services

SHOWN: dict[MediaKind, tuple[str, ...]] = {
    "images": ("img_src", "url", "title"),
    "videos": ("img_src", "url", "title", "iframe_src"),
}


async def find_media(request: Request, services: Services, *, kind: MediaKind) -> Response:
    """At most ten pictures or videos, all complete."""
    asking = services.asking
    body = request.body_as(TalkBody)
    query = text_of(body.query, "query", asking.limits.question_chars)
    history = conversation_of(body.chat_history, asking.limits, query)
    models = models_of(body.chat_model, None, asking.resolve)
    found = await asking.extras(FindMedia(kind, query, history, models.chat))
    return Response.of({kind: [_shown(item, SHOWN[kind]) for item in found.items]})


async def suggest(request: Request, services: Services) -> Response:
    """Questions that could follow."""
    body = request.body_as(TalkBody)
    asking = services.asking
    models = models_of(body.chat_model, None, asking.resolve)
    history = conversation_of(body.chat_history, asking.limits)
    suggested = await asking.extras(Suggest(history, models.chat))
    return Response.of({"suggestions": suggested.suggestions})


async def discover(_: Request, services: Services) -> Response:
    """News of the topics and sites in the settings, mixed."""
    found = await services.asking.extras(Discover())
    return Response.of({"blogs": [msgspec.structs.asdict(item) for item in found.items]})


def _shown(item: Media, fields: tuple[str, ...]) -> dict[str, str]:
    return {field: getattr(item, field) for field in fields}


ROUTES = (
    Route("POST", "/api/images", partial(find_media, kind="images"), spends="extras"),
    Route("POST", "/api/videos", partial(find_media, kind="videos"), spends="extras"),
    Route("POST", "/api/suggestions", suggest, spends="extras"),
    Route("GET", "/api/discover", discover, spends="extras"),
)
