from collections.abc import Mapping

from protocol.base import Value
from transport.http import Request, Response, Route
from transport.services import Services


class Model(Value, frozen=True, rename="camel"):
    """A model on offer."""

    display_name: str


Listed = dict[str, dict[str, Model]]


class ModelMaps(Value, frozen=True, rename="camel"):
    """The models on offer, by provider and name."""

    chat_model_providers: Listed
    embedding_model_providers: Listed


async def list_models(_: Request, services: Services) -> Response:
    """The models on offer; their order is what the web UI chooses by on a first visit."""
    lists = await services.models()
    return Response.of(ModelMaps(_listed(lists.chat), _listed(lists.embedding)))


def _listed(providers: Mapping[str, Mapping[str, str]]) -> Listed:
    return {
        provider: {model: Model(name) for model, name in models.items()}
        for provider, models in providers.items()
    }


ROUTES = (Route("GET", "/api/models", list_models, shows=ModelMaps),)
