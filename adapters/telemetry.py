"""
Logs: structured, correlated, and without secrets or personal data.

Every line of the process, those of the standard library's loggers included, goes through
one chain of processors to stderr. What must not be seen is taken out by the name of its
key, or by its look where it stands inside a text.
"""

import logging
import re
import sys
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Final, Literal, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

MASK: Final = "***"

_HIDDEN_KEYS = frozenset({"name", "customer", "person", "attendee", "attendees", "notes", "metadata", "cookie", "dsn"})
_HIDDEN_PARTS = (
    "authorization", "api_key", "apikey", "calcom_key", "password", "passwd", "secret", "token", "signature",
    "email", "e_mail", "phone", "customer_name", "full_name", "first_name", "last_name",
)  # fmt: skip
_LOOKS: Final = (
    # In this order, because a URL's password may itself look like an address.
    re.compile(r"(?<=://)[^\s/@:]+:[^\s/@]+(?=@)"),
    re.compile(r"(?i)\b(?:bearer|basic)\s+[\w.~+/=-]{6,}"),
    re.compile(r"\b(?:cal|csk|whsec|sk)_\w{4,}"),
    re.compile(r"[\w.+'-]+(?:@|%40)[\w-]+(?:\.[\w-]+)+"),
    re.compile(r"(?:(?<![\w.+:-])\+|%2[Bb]|(?<![\w.:/-])00)[1-9](?:[\s().-]?\d){6,14}(?![\w:])"),
)
_QUIET = ("aiohttp.access", "alembic", "asyncio", "httpcore", "httpx", "uvicorn.access")


def configure(*, form: Literal["console", "json"], level: str) -> None:
    """Send every log line of this process to stderr, in this form, from this level on."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        mask,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = _ToStderr()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _renderer(form)],
        )
    )
    _route_everything_to(handler, level=level.upper())


def mask(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Return a log line without secrets and personal data; the processor's form is structlog's."""
    # uvicorn says everything a second time, in colors.
    event.pop("color_message", None)
    return {key: value if key.startswith("_") else masked(key, value) for key, value in event.items()}


def masked(key: str, value: object) -> object:
    """Return what may be logged of a value that stands under this key."""
    if value is None or isinstance(value, bool):
        return value
    if _is_hidden(key):
        return MASK
    match value:
        case int() | float():
            return value
        case str():
            return scrubbed(value)
        case bytes() | bytearray():
            return f"{len(value)} bytes"
        case Mapping():
            return {str(inner): masked(str(inner), it) for inner, it in value.items()}
        case list() | tuple() | set() | frozenset():
            return [masked(key, it) for it in value]
        case _ if is_dataclass(value) and not isinstance(value, type):
            return {one.name: masked(one.name, getattr(value, one.name)) for one in fields(value)}
        case _:
            return scrubbed(str(value))


def scrubbed(text: str) -> str:
    """Return a text with tokens, passwords, e-mail addresses and phone numbers masked."""
    for look in _LOOKS:
        text = look.sub(MASK, text)
    return text


class _ToStderr(logging.StreamHandler[TextIO]):
    """Writes to what `sys.stderr` is at the moment; tests and daemons replace it."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]
        return sys.stderr


def _is_hidden(key: str) -> bool:
    plain = key.lower().replace("-", "_")
    return plain in _HIDDEN_KEYS or any(part in plain for part in _HIDDEN_PARTS)


def _renderer(form: str) -> Processor:
    if form == "json":
        return structlog.processors.JSONRenderer(sort_keys=True)
    return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())


def _route_everything_to(handler: logging.Handler, *, level: str) -> None:
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.captureWarnings(capture=True)
    for name in logging.root.manager.loggerDict:
        other = logging.getLogger(name)
        other.handlers.clear()
        other.propagate = True
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
