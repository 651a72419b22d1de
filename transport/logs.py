"""How log lines look, ours and those of libraries; they always go to stderr."""

import logging
import sys
from collections.abc import Callable
from typing import Any

import structlog

from protocol.settings import General

Processor = Callable[[Any, str, Any], Any]


def configure_logs(general: General, *processors: Processor) -> None:
    """JSON lines, or text where a person looks on.

    Libraries are heard from WARNING on: some of them log whole addresses, queries and keys below.

    Args:
        general: Says the level and the format.
        processors: Run first on each line, ours and theirs.

    """
    text = general.log_format == "text" or (general.log_format == "auto" and sys.stderr.isatty())
    shared: list[Processor] = [
        *processors,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        *([] if text else [structlog.processors.format_exc_info]),
    ]
    # Without the values of local variables, which it shows where the library rich is installed.
    console = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    renderer = console if text else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(general.log_level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    _take_in_libraries(shared, renderer)


def _take_in_libraries(shared: list[Processor], renderer: Any) -> None:
    finish = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=finish)
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
