"""What a provider offers, and what is made of the list that its service gives."""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

from protocol.base import Value
from providers.calls import Listed
from providers.endpoint import Endpoint

NOTHING: Mapping[str, str] = MappingProxyType({})


class Offer(Value, frozen=True):
    """Models on offer, in the order in which they are shown: name and display name."""

    chat: Mapping[str, str] = NOTHING
    embedding: Mapping[str, str] = NOTHING

    def named(self, name: str) -> str:
        """The display name of a model; its name where it has no other."""
        return self.chat.get(name) or self.embedding.get(name) or name


Arrange = Callable[[Endpoint, tuple[Listed, ...], Offer], Offer]


class Listing(Value, frozen=True):
    """How a live list is sorted into an offer, and for how many seconds it counts as fresh."""

    arrange: Arrange
    fresh_s: float


def all_for_both(_endpoint: Endpoint, listed: tuple[Listed, ...], _built_in: Offer) -> Offer:
    """Each model for chat and for embeddings: the service does not tell which is for what."""
    names = {model.name: model.name for model in listed}
    return Offer(chat=names, embedding=names)


def by_name(_endpoint: Endpoint, listed: tuple[Listed, ...], built_in: Offer) -> Offer:
    """Models with ``embed`` in their names for embeddings, all others for chat."""
    names = [model.name for model in listed]
    return Offer(
        chat={name: built_in.named(name) for name in names if "embed" not in name.lower()},
        embedding={name: built_in.named(name) for name in names if "embed" in name.lower()},
    )


OFFICIAL_OPENAI = "api.openai.com"
OPENAI_CHAT = re.compile(r"(gpt-|chatgpt-|o\d)")
# Models for sound, pictures or completion, and dated versions of models that are there as well.
OPENAI_OTHER = re.compile(
    r"audio|realtime|image|tts|transcribe|instruct|search|moderation|codex|-\d{4}(-\d\d-\d\d)?$"
)


def openai(endpoint: Endpoint, listed: tuple[Listed, ...], built_in: Offer) -> Offer:
    """By name; of the official service's long list only models to talk to, well-known ones first.

    The others follow, newest first.
    """
    if endpoint.host != OFFICIAL_OPENAI:
        return by_name(endpoint, listed, built_in)
    places = {name: place for place, name in enumerate([*built_in.chat, *built_in.embedding])}
    ordered = sorted(
        listed, key=lambda model: (places.get(model.name, len(places)), -model.created)
    )
    return by_name(endpoint, tuple(model for model in ordered if _is_of_use(model.name)), built_in)


def _is_of_use(name: str) -> bool:
    is_chat = OPENAI_CHAT.match(name) and not OPENAI_OTHER.search(name)
    return bool(is_chat) or name.startswith("text-embedding-")
