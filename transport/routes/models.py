from collections.abc import Mapping

from transport.http import Request, Response, Route
from transport.services import Services

Listed = dict[str, dict[str, dict[str, str]]]


async def list_models(_: Request, services: Services) -> Response:
    """The models on offer; their order is what the web UI chooses by on a first visit."""
    lists = await services.models()
    return Response.of(
        {
            "chatModelProviders": _listed(lists.chat),
            "embeddingModelProviders": _listed(lists.embedding),
        }
    )


def _listed(providers: Mapping[str, Mapping[str, str]]) -> Listed:
    return {
        provider: {model: {"displayName": name} for model, name in models.items()}
        for provider, models in providers.items()
    }


ROUTES = (Route("GET", "/api/models", list_models),)
