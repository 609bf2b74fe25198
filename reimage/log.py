"""Logging of the service: structlog, to stderr, JSON where nobody reads along."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path

import structlog

_SHOWN = 200
"""Bytes of a line that is told of."""


def configure(*, verbose: bool = False, json: bool | None = None) -> None:
    """Set up logging once per process; data go to stdout, the log to stderr."""
    as_json = not sys.stderr.isatty() if json is None else json
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.INFO if verbose else logging.WARNING
        ),
        # the stream as it is when something is logged: whoever redirects stderr gets the log, too
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )


def logger(name: str) -> structlog.stdlib.BoundLogger:
    """Return a logger; bind ``run``, ``dataset``, ``stage`` once."""
    bound: structlog.stdlib.BoundLogger = structlog.get_logger(name)
    return bound


def line_passed_over(path: Path) -> Callable[[int, bytes], None]:
    """Return what tells of a line of a journal that is no event (`reimage.journal.read`)."""
    return partial(_tell, str(path))


@lru_cache(maxsize=1000)
def _tell(path: str, offset: int, line: bytes) -> None:
    """Tell once: a journal is read again and again."""
    shown = line[:_SHOWN].decode(errors="replace")
    logger(__name__).warning("journal.line_passed_over", path=path, offset=offset, line=shown)
