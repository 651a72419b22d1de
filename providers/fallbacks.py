"""Models on offer while a service's own list is not known; they also come first in that list."""

from providers.listing import Offer

OPENAI_MODELS = Offer(
    chat={
        "gpt-3.5-turbo": "GPT-3.5 Turbo",
        "gpt-4": "GPT-4",
        "gpt-4-turbo": "GPT-4 turbo",
        "gpt-4o": "GPT-4 omni",
        "gpt-4o-mini": "GPT-4 omni mini",
    },
    embedding={
        "text-embedding-3-small": "Text Embedding 3 Small",
        "text-embedding-3-large": "Text Embedding 3 Large",
    },
)
GROQ_MODELS = Offer(
    chat={
        "llama-3.3-70b-versatile": "Llama 3.3 70B",
        "llama-3.1-8b-instant": "Llama 3.1 8B",
        "openai/gpt-oss-120b": "GPT-OSS 120B",
        "openai/gpt-oss-20b": "GPT-OSS 20B",
    }
)
ANTHROPIC_MODELS = Offer(
    chat={
        "claude-sonnet-5-5": "Claude Sonnet 5.5",
        "claude-haiku-5-5": "Claude Haiku 5.5",
        "claude-opus-5-5": "Claude Opus 5.5",
        "claude-sonnet-4-6": "Claude Sonnet 4.6",
        "claude-haiku-4-5": "Claude Haiku 4.5",
    }
)
GEMINI_MODELS = Offer(
    chat={
        "gemini-flash-latest": "Gemini Flash",
        "gemini-flash-lite-latest": "Gemini Flash-Lite",
        "gemini-pro-latest": "Gemini Pro",
    },
    embedding={"gemini-embedding-001": "Gemini Embedding 001"},
)
DEEPSEEK_MODELS = Offer(
    chat={"deepseek-flash": "DeepSeek Flash", "deepseek-v4-pro": "DeepSeek V4 Pro"}
)
MISTRAL_MODELS = Offer(
    chat={
        "mistral-small-latest": "Mistral Small",
        "mistral-medium-latest": "Mistral Medium",
        "mistral-large-latest": "Mistral Large",
    },
    embedding={"mistral-embed": "Mistral Embed"},
)
OPENROUTER_MODELS = Offer(chat={"openrouter/auto": "OpenRouter Auto"})
