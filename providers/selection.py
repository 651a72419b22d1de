"""Which model a client's choice means. Never waits: it goes by what is known."""

from collections.abc import Mapping
from typing import Literal

import msgspec

from protocol.base import Value
from protocol.errors import InvalidModelSelected
from protocol.values import ModelChoice
from providers.endpoint import is_usable_address, is_usable_key
from providers.listing import NOTHING

Purpose = Literal["chat", "embedding"]

# What a web UI sends for a value that it does not have.
ABSENT = {"", "null", "undefined"}


class Shelf(Value, frozen=True):
    """The models of one provider for one purpose, as far as they are known.

    Attributes:
        shown: What clients are shown.
        accepted: Further names that may be chosen.
        is_known: Nothing else is on offer; without it any name may be chosen, and turns out to
            be wrong when it is used.
        is_failing: Its service does not answer: no default, but it may be asked for.
        is_clients: The client may name the service and the model itself.
        is_reachable: There is a service where the client names none.
        is_stand_in: No model stands behind it: the default only where there is no other.

    """

    shown: Mapping[str, str] = NOTHING
    accepted: Mapping[str, str] = NOTHING
    is_known: bool = True
    is_failing: bool = False
    is_clients: bool = False
    is_reachable: bool = True
    is_stand_in: bool = False

    def accepts(self, model: str) -> bool:
        """Whether this name may be chosen."""
        return not self.is_known or model in self.shown or model in self.accepted

    @property
    def is_default(self) -> bool:
        """Whether it can be taken where a client named no provider."""
        return bool(self.shown) or not (self.is_known or self.is_failing)


Shelves = Mapping[str, Shelf]


def chosen(choice: ModelChoice, shelves: Shelves, purpose: Purpose) -> ModelChoice:
    """The choice with its gaps filled: the first provider on offer, and its first model.

    The name of the model stays empty while the provider's list is not known; the first of the
    list is then taken when the model is used.

    Raises:
        InvalidModelSelected: There is no such provider or model, or the client's own service
            has an address that cannot be used, or none where the settings have none either.

    """
    choice = _without_absent(choice)
    provider = choice.provider or _first_provider(shelves, purpose)
    shelf = shelves.get(provider)
    if shelf is None:
        raise InvalidModelSelected(f"{purpose} provider {provider[:60]!r} is not on offer")
    choice = msgspec.structs.replace(choice, provider=provider)
    if shelf.is_clients and (choice.base_url or not shelf.is_reachable):
        return _checked(choice, purpose)
    if shelf.is_clients:
        return _configured(choice, shelf, purpose)
    model = choice.model or next(iter(shelf.shown), "")
    if not shelf.accepts(model):
        raise InvalidModelSelected(f"{purpose} model {model[:60]!r} is not on offer")
    return ModelChoice(provider, model)


def _first_provider(shelves: Shelves, purpose: Purpose) -> str:
    for provider, shelf in sorted(shelves.items(), key=lambda item: item[1].is_stand_in):
        if shelf.is_default:
            return provider
    raise InvalidModelSelected(f"no {purpose} model is on offer")


def _without_absent(choice: ModelChoice) -> ModelChoice:
    fields = (choice.provider, choice.model, choice.base_url, choice.api_key)
    return ModelChoice(*("" if text.strip() in ABSENT else text.strip() for text in fields))


def _configured(choice: ModelChoice, shelf: Shelf, purpose: Purpose) -> ModelChoice:
    """The choice of the service of the settings, whose model counts for more than the client's.

    A web UI that no longer finds its model sends the name of another provider's.
    """
    model = next(iter(shelf.shown), "") or choice.model
    if not model:
        raise InvalidModelSelected(f"{purpose} provider {choice.provider!r} has no model")
    return ModelChoice(choice.provider, model)


def _checked(choice: ModelChoice, purpose: Purpose) -> ModelChoice:
    """The choice of a service of the client's own; a key is not needed, local ones have none."""
    problems = {
        "has no model": not choice.model,
        "has no usable address": not is_usable_address(choice.base_url),
        "has a key that cannot be sent": not is_usable_key(choice.api_key),
    }
    for problem, is_so in problems.items():
        if is_so:
            raise InvalidModelSelected(f"{purpose} provider {choice.provider!r} {problem}")
    return choice
