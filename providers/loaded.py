"""What is costly to import or load, each done once, when it is first needed.

``llama_index.core`` takes 1.3 s, httpx and numpy 0.1 s each, the static model 0.4 s.
"""

from collections.abc import Callable
from importlib import import_module
from threading import Lock
from typing import TYPE_CHECKING, Generic, TypeVar

from protocol.base import Value
from protocol.offload import Offload
from providers import local_models
from providers.calls import Dialect
from providers.endpoint import Endpoint
from providers.local_models import LocalModel
from upstreams.addresses import AddressPolicy

if TYPE_CHECKING:
    from httpx import AsyncClient
    from llama_index.core.base.embeddings.base import BaseEmbedding
    from llama_index.core.llms import LLM

    from providers.http import Http, OpenClient
    from providers.remote import Remote
    from providers.static_model import StaticModel

T = TypeVar("T")

STATIC = "wordllama-l2-supercat-256"  # ships with the program


class Order(Value, frozen=True):
    """What a model is to be built from."""

    provider: str
    model: str
    temperature: float
    endpoint: Endpoint | None
    dialect: Dialect


class Once(Generic[T]):
    """A value made at its first use; safe to ask from any thread, made again if that failed."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._lock = Lock()
        self._made: list[T] = []

    def get(self) -> T:
        """The value; waits while another thread makes it."""
        with self._lock:
            if not self._made:
                self._made.append(self._make())
            return self._made[0]

    @property
    def made(self) -> tuple[T, ...]:
        """The value if it has been made; else nothing."""
        return tuple(self._made)


class Loaded:
    """The costly parts, loaded as they are asked for; safe to ask from any thread."""

    def __init__(
        self,
        open_client: "OpenClient | None" = None,
        models: str = "",
        open_guarded: "OpenClient | None" = None,
        lull_s: float = 0.0,
    ) -> None:
        """Load nothing yet.

        Args:
            open_client: Opens connections to services, if not the usual way.
            models: The folder of further local models.
            open_guarded: Opens connections to services that clients name.
            lull_s: In which pieces of an answer are read as one.

        """
        self.http = Once(lambda: _load_http(open_client, lull_s))
        self.guests = Once(lambda: _load_http(open_client or open_guarded, lull_s))
        self.static = Once(_load_static)
        self._folder = models
        self._local: dict[str, Once[LocalModel]] = {STATIC: Once(self.static.get)}

    def everything(self) -> None:
        """Load all of it; takes about two seconds, so call it in a thread."""
        self.http.get()
        load_llama()
        import_module("providers.llama_chat")
        import_module("providers.llama_embedding")
        self.static.get()

    def local(self, name: str) -> LocalModel:
        """The local model of that name; raises ModelUnavailable."""
        once = self._local.setdefault(name, Once(lambda: local_models.load(self._folder, name)))
        return once.get()

    def remote(self, order: Order) -> "Remote":
        """The service that an order names; its endpoint must be set."""
        from providers.remote import Remote  # noqa: PLC0415 - imports numpy

        assert order.endpoint is not None
        http = self.guests if order.endpoint.is_clients else self.http
        return Remote(http.get(), order.endpoint, order.dialect)


def load_llama() -> None:
    """Import LlamaIndex, from its root: safe from any number of threads.

    Two threads that begin with different parts of it wait for each other, and Python then hands
    out a half-made module.
    """
    import_module("llama_index.core")


def remote_chat(loaded: Loaded, order: Order) -> "LLM":
    """A chat model of the service that the order names."""
    load_llama()
    from providers.llama_chat import ChatModel  # noqa: PLC0415 - imports LlamaIndex

    return ChatModel.of(loaded.remote(order), order)


def remote_embedding(loaded: Loaded, order: Order) -> "BaseEmbedding":
    """An embedding model of the service that the order names."""
    load_llama()
    from providers.llama_embedding import RemoteEmbedding  # noqa: PLC0415 - imports LlamaIndex

    return RemoteEmbedding.of(loaded.remote(order), order)


def local_embedding(loaded: Loaded, order: Order) -> "BaseEmbedding":
    """An embedding model that needs no service."""
    load_llama()
    from providers.llama_embedding import LocalEmbedding  # noqa: PLC0415 - imports LlamaIndex

    return LocalEmbedding.of(loaded.local(order.model), order)


def _load_http(opened: "OpenClient | None", lull_s: float) -> "Http":
    from providers.http import Http, open_client  # noqa: PLC0415 - imports httpx

    return Http(opened or open_client, lull_s=lull_s)


def guarded(policy: AddressPolicy, offload: Offload) -> "OpenClient":
    """Opens connections that are made where the policy lets them; imports httpx when called."""

    def open_client() -> "AsyncClient":
        from providers.http import open_guarded  # noqa: PLC0415 - imports httpx

        return open_guarded(policy, offload)

    return open_client


def _load_static() -> "StaticModel":
    from providers.static_model import StaticModel  # noqa: PLC0415 - imports wordllama, reads 16 MB

    return StaticModel()
