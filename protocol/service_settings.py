"""The settings of the services that are asked: their keys, addresses and local stand-ins."""

from typing import Annotated

from protocol.base import Value
from protocol.setting import Address, described, model_key


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
