"""Where the program of the fault matrix finds its services, and what is asked of it."""

from dataclasses import dataclass

from tests.e2e.canary import canary
from tests.e2e.faults import FAULTS, LIMITS, NO_NAME, PLAINLY, SECURE, Service, Spot, Trouble
from tests.standins.http_server import StandIn
from tests.standins.model_server import ModelServer
from tests.standins.website import Website

# Whose models make vectors at each address; all of them are on the same port.
EMBEDDERS = {
    PLAINLY: ("openai", "text-embedding-3-small"),
    SECURE: ("mistral", "mistral-embed"),
    NO_NAME: ("lmstudio", "an-embedding-model"),
}

Ports = dict[Service, int]


@dataclass(frozen=True)
class Town:
    """The services as they are when they are well, and the ports where the program looks for them.

    Attributes:
        steady: A model service, and a site, that nothing happens to.

    """

    ports: Ports
    services: dict[Service, StandIn]
    models: ModelServer
    site: Website

    def spot(self, service: Service) -> Spot:
        """Where a service is to be, and where it is."""
        return Spot(service, self.ports[service], port_of(self.services[service]))

    def address(self, service: Service, trouble: Trouble) -> str:
        """By which the program knows a service that has this trouble."""
        return trouble.address.format(port=self.ports[service])


def port_of(service: StandIn) -> int:
    """Where a stand-in listens."""
    return int(service.url.rpartition(":")[2])


def settings(town: Town, search_address: str) -> dict[str, str]:
    """Of a program that looks for its search there."""
    embedding = {form: form.format(port=town.ports["embedding"]) for form in EMBEDDERS}
    return {
        **LIMITS,
        "SEARXNG_API_URL": search_address.format(port=town.ports["search"]),
        "OPENAI_API_KEY": canary("openai"),
        "OPENAI_BASE_URL": f"{embedding[PLAINLY]}/v1",
        "MISTRAL_API_KEY": canary("mistral"),
        "PERPLEXICA_API_ENDPOINTS_MISTRAL": f"{embedding[SECURE]}/v1",
        "PERPLEXICA_API_ENDPOINTS_LMSTUDIO": f"{embedding[NO_NAME]}/v1",
    }


def query(town: Town, service: Service, trouble: Trouble) -> dict[str, str]:
    """What the client chooses: a chat model, and one for embeddings."""
    is_chat = service == "chat"
    chat = f"{town.address('chat', trouble)}/v1" if is_chat else town.models.openai_url
    provider, model = EMBEDDERS[trouble.address]
    return {
        "chatModelProvider": "custom_openai",
        "chatModel": "a-chat-model",
        "openAIBaseURL": chat,
        "openAIApiKey": "a key of the client",
        "embeddingModelProvider": provider,
        "embeddingModel": model,
    }


def question(town: Town, service: Service, fault: str) -> str:
    """Which question shows what becomes of the fault; no two cells have the same."""
    if service == "page":
        bad = town.address("page", FAULTS[fault])
        return f"How do {bad}/long and {town.site.url}/page.txt deal with {fault}?"
    if service == "chat":  # so long that a drip does not come to its end
        return f"What does the harbour do with {fault}? [[fake answer tokens=200]]"
    return f"What does the harbour of the {service} do with {fault}?"
