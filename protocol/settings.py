"""Every setting: one typed field each, with its default and its line for the README.

A field ``name`` of section ``SECTION`` is ``[SECTION] NAME`` in ``config.toml`` and
``PERPLEXICA_SECTION_NAME`` in the environment (``PERPLEXICA_NAME`` for GENERAL); names that people
already have stand in ``env``, what newer files of the reference (1.10) call it in ``also``. A
``secret`` is never shown, and its value may also come from the file that
``<environment name>_FILE`` names.
"""

from typing import Annotated, Literal

from msgspec import Meta, field

from protocol.base import Value

Port = Annotated[int, Meta(ge=0, le=65535)]
Count = Annotated[int, Meta(ge=1, le=1_000_000_000)]
Bytes = Annotated[int, Meta(ge=1024, le=1_000_000_000)]
Address = Annotated[str, Meta(pattern=r"^(https?://[^\s/?#]+[^\s?#]*)?$")]
Seconds = Annotated[float, Meta(gt=0, le=3600)]
KeptSeconds = Annotated[int, Meta(ge=0, le=7 * 86_400)]


def described(
    doc: str, *, env: tuple[str, ...] = (), also: tuple[str, ...] = (), secret: bool = False
) -> Meta:
    """What is said of a field beyond its type."""
    return Meta(description=doc, extra={"env": env, "also": also, "secret": secret})


def model_key(doc: str, name: str) -> Meta:
    """What is said of the key of a model service that files of the reference name too."""
    also = (f"[MODELS.{name}] API_KEY",)
    return described(doc, env=(f"{name}_API_KEY",), also=also, secret=True)


class General(Value, frozen=True):
    """Where the server listens, keeps its data and how it logs."""

    host: Annotated[str, described("address to listen on")] = "127.0.0.1"
    port: Annotated[Port, described("port for WebSocket and HTTP; 0 takes a free one")] = 3001
    data_dir: Annotated[str, described("folder of the database; made when missing")] = "data"
    library: Annotated[str, described("folder of your own documents to search")] = ""
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], described("least level that is logged")
    ] = "info"
    log_format: Annotated[
        Literal["auto", "json", "text"], described("auto: text on a terminal, else JSON lines")
    ] = "auto"
    ui_gap_ms: Annotated[
        Annotated[int, Meta(ge=0, le=10_000)],
        described("least milliseconds from sources to messageEnd, for the web UI"),
    ] = 100
    merge_ms: Annotated[
        Annotated[int, Meta(ge=0, le=5000)],
        described("milliseconds in which pieces of an answer are put into one frame; 0: none"),
    ] = 30
    similarity_measure: Annotated[
        Literal["cosine", "dot"], described("how vectors are compared in ranking")
    ] = "cosine"


class ApiKeys(Value, frozen=True):
    """Keys of model services."""

    openai: Annotated[str, model_key("OpenAI", "OPENAI")] = ""
    groq: Annotated[str, model_key("Groq", "GROQ")] = ""
    anthropic: Annotated[str, model_key("Anthropic", "ANTHROPIC")] = ""
    gemini: Annotated[str, model_key("Gemini", "GEMINI")] = ""
    deepseek: Annotated[str, model_key("DeepSeek", "DEEPSEEK")] = ""
    mistral: Annotated[str, described("Mistral", env=("MISTRAL_API_KEY",), secret=True)] = ""
    openrouter: Annotated[
        str, described("OpenRouter", env=("OPENROUTER_API_KEY",), secret=True)
    ] = ""
    lmstudio: Annotated[
        str, described("LM Studio, if it wants one", env=("LMSTUDIO_API_KEY",), secret=True)
    ] = ""

    def __repr__(self) -> str:
        """Name the keys that are set, never what they are."""
        return (
            f"ApiKeys({', '.join(name for name in self.__struct_fields__ if getattr(self, name))})"
        )


class ApiEndpoints(Value, frozen=True):
    """Base addresses of the services that are asked."""

    searxng: Annotated[
        Address, described("SearXNG, with its JSON format on", env=("SEARXNG_API_URL",))
    ] = ""
    ollama: Annotated[
        Address,
        described(
            "Ollama", env=("OLLAMA_BASE_URL", "OLLAMA_API_URL"), also=("[MODELS.OLLAMA] API_URL",)
        ),
    ] = ""
    openai: Annotated[
        Address, described("OpenAI, or what speaks like it", env=("OPENAI_BASE_URL",))
    ] = "https://api.openai.com/v1"
    groq: Annotated[Address, described("Groq")] = "https://api.groq.com/openai/v1"
    anthropic: Annotated[
        Address, described("Anthropic, without the version", env=("ANTHROPIC_BASE_URL",))
    ] = "https://api.anthropic.com"
    gemini: Annotated[Address, described("Gemini, without the version")] = (
        "https://generativelanguage.googleapis.com"
    )
    deepseek: Annotated[Address, described("DeepSeek")] = "https://api.deepseek.com"
    mistral: Annotated[Address, described("Mistral")] = "https://api.mistral.ai/v1"
    openrouter: Annotated[Address, described("OpenRouter")] = "https://openrouter.ai/api/v1"
    lmstudio: Annotated[
        Address,
        described(
            "LM Studio, usually http://localhost:1234/v1", also=("[MODELS.LM_STUDIO] API_URL",)
        ),
    ] = ""


class CustomOpenai(Value, frozen=True):
    """A service that speaks like OpenAI, for clients that choose custom_openai and name none."""

    api_url: Annotated[
        Address,
        described("custom_openai: base address", also=("[MODELS.CUSTOM_OPENAI] API_URL",)),
    ] = ""
    api_key: Annotated[
        str,
        described(
            "custom_openai: its key, if it wants one",
            also=("[MODELS.CUSTOM_OPENAI] API_KEY",),
            secret=True,
        ),
    ] = ""
    model_name: Annotated[
        str,
        described(
            "custom_openai: the model that is offered",
            also=("[MODELS.CUSTOM_OPENAI] MODEL_NAME",),
        ),
    ] = ""

    def __repr__(self) -> str:
        """Name the model only: the address may hold a secret, and the key is one."""
        return f"CustomOpenai({self.model_name!r})"


class Local(Value, frozen=True):
    """Models that run on this machine, without any service."""

    models: Annotated[
        str, described("folder of embedding models: a folder each, ONNX or sentence-transformers")
    ] = ""


class Search(Value, frozen=True):
    """Where to look things up."""

    backends: Annotated[
        tuple[str, ...], described("search backends in the order they are tried")
    ] = ("searxng", "library", "keyless")
    language: Annotated[str, described("language that search engines are asked for")] = "en"


class Uploads(Value, frozen=True):
    """What users may give to be read."""

    file_bytes: Annotated[Count, described("bytes of one uploaded file")] = 50 * 1024 * 1024
    files: Annotated[Count, described("files of one upload")] = 20
    read_s: Annotated[Seconds, described("seconds to read the files of one upload")] = 120
    workers: Annotated[Count, described("uploads that are read at once")] = 2


class Pages(Value, frozen=True):
    """How pages are read: those that a question names, and those that a search found."""

    page_bytes: Annotated[Count, described("bytes of one page, unpacked")] = 10_000_000
    page_s: Annotated[Seconds, described("seconds to fetch one page")] = 8
    redirects: Annotated[
        Annotated[int, Meta(ge=0, le=20)], described("redirects that are followed")
    ] = 5
    types: Annotated[tuple[str, ...], described("types of content that are read")] = (
        "text/html",
        "application/xhtml+xml",
        "text/plain",
        "text/markdown",
        "application/pdf",
    )
    at_once: Annotated[Count, described("pages fetched at once, all turns together")] = 32
    links: Annotated[Count, described("pages read of those that a question names")] = 5
    summaries: Annotated[Count, described("summaries of one page; ten passages go into each")] = 4


class Quality(Value, frozen=True):
    """How far the optimisation mode ``quality`` goes."""

    queries: Annotated[
        Annotated[int, Meta(ge=1, le=10)], described("queries that a question is broken into")
    ] = 3
    pages: Annotated[Count, described("pages read of those that were found")] = 6
    domain_passages: Annotated[Count, described("passages of one site in the sources")] = 3
    tokens: Annotated[Count, described("tokens of all sources together, estimated")] = 6_000


class Discover(Value, frozen=True):
    """What the page of news is made of."""

    topics: Annotated[tuple[str, ...], described("topics of the news page")] = ("AI", "tech")
    sites: Annotated[tuple[str, ...], described("sites that its news come from")] = (
        "businessinsider.com",
        "www.exchangewire.com",
        "yahoo.com",
    )


class Cache(Value, frozen=True):
    """How much is remembered of what others were asked, and for how long."""

    search_s: Annotated[
        KeptSeconds, described("seconds that search results are kept; 0 keeps none")
    ] = 60
    discover_s: Annotated[KeptSeconds, described("seconds that the news are kept; 0: none")] = 600
    page_s: Annotated[
        KeptSeconds, described("seconds that pages that were read are kept; 0: none")
    ] = 600
    embedding_s: Annotated[
        KeptSeconds, described("seconds that vectors of a model service are kept; 0: none")
    ] = 3600
    entries: Annotated[Count, described("entries of each cache")] = 10_000
    size_bytes: Annotated[Count, described("bytes of each cache")] = 32 * 1024 * 1024


class Resilience(Value, frozen=True):
    """What is done about services that do not answer."""

    failures: Annotated[
        Annotated[int, Meta(ge=0, le=1000)],
        described("failures in a row, or one time-out, after which one is left alone; 0: never"),
    ] = 3
    pause_s: Annotated[Seconds, described("seconds until it is tried again; doubles")] = 5
    most_pause_s: Annotated[Seconds, described("seconds of the longest such pause")] = 60


class Journal(Value, frozen=True):
    """How long the events of an answer are kept beside it, to resume it by."""

    days: Annotated[
        Annotated[int, Meta(ge=1, le=3650)], described("days that journals of answers are kept")
    ] = 30
    turns: Annotated[Count, described("answers, the newest, whose journals are kept")] = 20_000


class Limits(Value, frozen=True):
    """How long and how large things may get."""

    rephrase_s: Annotated[Seconds, described("seconds to rephrase a question")] = 15
    suggest_s: Annotated[Seconds, described("seconds to think of further questions")] = 30
    search_s: Annotated[Seconds, described("seconds for one search, all backends together")] = 5
    read_s: Annotated[Seconds, described("seconds to read pages and to sum them up")] = 40
    rerank_s: Annotated[Seconds, described("seconds to rank what was found")] = 10
    first_token_s: Annotated[Seconds, described("seconds until a model's first piece")] = 30
    token_gap_s: Annotated[Seconds, described("seconds between two pieces")] = 20
    turn_s: Annotated[Seconds, described("seconds for a whole turn")] = 180
    store_s: Annotated[Seconds, described("seconds for one write to the store")] = 10
    send_s: Annotated[Seconds, described("seconds a client may take to accept a frame")] = 30
    model_list_s: Annotated[Seconds, described("seconds for a provider's list of models")] = 2
    drain_s: Annotated[Seconds, described("seconds that a stop waits for running turns")] = 25
    turns: Annotated[Count, described("turns at once, all sessions together")] = 500
    session_turns: Annotated[Count, described("turns at once in one session")] = 16
    workers: Annotated[Count, described("searches, rankings and answers at once, each")] = 256
    question_chars: Annotated[Count, described("characters of one question")] = 100_000
    answer_chars: Annotated[Count, described("characters of one answer")] = 200_000
    frame_bytes: Annotated[Bytes, described("bytes of one WebSocket frame")] = 4 * 1024 * 1024
    body_bytes: Annotated[Bytes, described("bytes of one HTTP body")] = 8 * 1024 * 1024
    head_bytes: Annotated[Bytes, described("bytes of one HTTP head")] = 16 * 1024
    request_s: Annotated[Seconds, described("seconds in which a request must have come")] = 30


class Settings(Value, frozen=True):
    """All settings, by section."""

    general: General = field(default_factory=General)
    api_keys: ApiKeys = field(default_factory=ApiKeys)
    api_endpoints: ApiEndpoints = field(default_factory=ApiEndpoints)
    custom_openai: CustomOpenai = field(default_factory=CustomOpenai)
    local: Local = field(default_factory=Local)
    search: Search = field(default_factory=Search)
    uploads: Uploads = field(default_factory=Uploads)
    pages: Pages = field(default_factory=Pages)
    quality: Quality = field(default_factory=Quality)
    discover: Discover = field(default_factory=Discover)
    cache: Cache = field(default_factory=Cache)
    resilience: Resilience = field(default_factory=Resilience)
    journal: Journal = field(default_factory=Journal)
    limits: Limits = field(default_factory=Limits)
