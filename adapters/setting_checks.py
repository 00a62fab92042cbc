"""What settings must look like; what is wrong is said without the value, which may be a secret."""

import math
import re
from difflib import get_close_matches
from typing import TypeVar
from urllib.parse import parse_qs, urlsplit

import httpx
from cryptography.fernet import Fernet
from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict
from pydantic import SecretStr
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from adapters.directory.secrets import secret_problem
from domain.text import identifier_problem
from domain.validation import SOURCE_LIMIT

_FILE = "must name a file and nothing else, such as sqlite:///calsaga.db"
_SERVER = "must be an address that PostgreSQL understands, such as postgresql://user@host:5432/calsaga"
_PORT = "must have a port from 1 to 65535"
_HOST = "must be an address with a host and no more than a path, such as https://api.cal.com"
_KEYS = (
    "must be 32 random bytes in URL-safe base64, or several such keys with commas between; this makes one: "
    "python3 -c 'import base64, os; print(base64.urlsafe_b64encode(os.urandom(32)).decode())'"
)
_REDIS = "must be an address such as redis://user:password@host:6379/0, rediss://host or unix:///run/redis.sock?db=0"
_MAIL = "must be an address such as smtp://host:25 or smtps://host:465, without a user or a password"
_POINT = "must be POINT, POINT#N or #N, such as append.after:booking.initiated.v1#2"
_POINT_FORM = re.compile(r"(?=.)(?:[a-z]+(?:\.[a-z_]+)+(?::[a-z0-9._-]+)?)?(?:#[1-9]\d{0,8})?")
# As it is sent, in ASCII. No standard has underscores, but many networks do.
_HOST_FORM = re.compile(rb"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]+")
_HIGHEST_PORT = 65535

Value = TypeVar("Value")


def database_url(url: str) -> str:
    """Return a database's URL, or raise ValueError."""
    if url.startswith("sqlite:///"):
        _check_file(_parsed(url, otherwise=_FILE))
    elif url.startswith("postgresql://"):
        _check_server(url)
    else:
        raise ValueError("must begin with sqlite:/// or postgresql://")
    return url


def redis_url(value: SecretStr) -> SecretStr:
    """Return the address of a Redis, or raise ValueError."""
    try:
        parsed = urlsplit(value.get_secret_value())
        options = parse_qs(parsed.query, strict_parsing=bool(parsed.query))
        port = parsed.port
    except ValueError:
        raise ValueError(_REDIS) from None
    if parsed.scheme == "unix":
        fits = parsed.path not in {"", "/"} and not parsed.netloc.rpartition("@")[2]
    else:
        fits = parsed.scheme in {"redis", "rediss"} and bool(parsed.hostname) and port != 0
        fits = fits and re.fullmatch(r"/?\d{0,5}", parsed.path, re.ASCII) is not None
    database = options.pop("db", ["0"])
    options.pop("ssl_ca_certs", None)
    if not fits or parsed.fragment or options or not re.fullmatch(r"\d{1,5}", database[0], re.ASCII):
        raise ValueError(_REDIS)
    return value


def part_of_a_minute(seconds: float) -> float:
    """Return seconds of which a whole number makes a minute, or raise ValueError."""
    if not math.isclose(60 / seconds, round(60 / seconds)):
        raise ValueError("must divide a minute, such as 10, 15, 30 or 60")
    return seconds


def web_address(url: str) -> str:
    """Return a web address without a slash at its end, or raise ValueError."""
    if not url.startswith(("http://", "https://")):
        raise ValueError("must begin with https:// or http://")
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        raise ValueError(_HOST) from None
    if not _HOST_FORM.fullmatch(parsed.raw_host) or re.search(r"\s", url):
        raise ValueError(_HOST)
    if parsed.userinfo or parsed.query or parsed.fragment:
        raise ValueError(_HOST)
    if parsed.port is not None and not 1 <= parsed.port <= _HIGHEST_PORT:
        raise ValueError(_PORT)
    return url.rstrip("/")


def mail_server(url: str) -> str:
    """Return the address of a mail server, or raise ValueError."""
    try:
        parsed = urlsplit(url)
        fits = parsed.scheme in {"smtp", "smtps"} and bool(parsed.hostname) and parsed.port != 0
    except ValueError:
        raise ValueError(_MAIL) from None
    if not fits or parsed.username or parsed.path not in {"", "/"} or parsed.query or parsed.fragment:
        raise ValueError(_MAIL)
    return url


def company_id(text: str) -> str:
    """Return a company's id, or raise ValueError."""
    return _unless(identifier_problem(text), text)


def source(text: str) -> str:
    """Return where wishes come from, or raise ValueError."""
    return _unless(identifier_problem(text, at_most=SOURCE_LIMIT), text)


def secret(value: SecretStr) -> SecretStr:
    """Return a secret that can be sent, or raise ValueError."""
    return _unless(secret_problem(value.get_secret_value()), value)


def encryption_keys(value: SecretStr) -> SecretStr:
    """Return keys that can encrypt, with commas between, or raise ValueError."""
    try:
        for key in value.get_secret_value().split(","):
            Fernet(key)
    except ValueError:
        raise ValueError(_KEYS) from None
    return value


def crash_point(text: str) -> str:
    """Return where to crash, or raise ValueError."""
    return _unless(None if _POINT_FORM.fullmatch(text) else _POINT, text)


def nearest(name: str, names: list[str]) -> str | None:
    """Return which of the names was probably meant."""
    return next(iter(get_close_matches(name, names, n=1)), None)


def _check_file(url: URL) -> None:
    if not url.database or url.database == ":memory:" or url.query:
        raise ValueError(_FILE)


def _check_server(url: str) -> None:
    parsed = _parsed(url, otherwise=_SERVER)
    try:
        parts = conninfo_to_dict(url)
    except (ProgrammingError, ValueError):
        raise ValueError(_SERVER) from None
    ports = str(parts.get("port") or parsed.port or 1).split(",")
    if not all(port.isdecimal() and 1 <= int(port) <= _HIGHEST_PORT for port in ports if port):
        raise ValueError(_PORT)


def _parsed(url: str, *, otherwise: str) -> URL:
    try:
        return make_url(url)
    except (ArgumentError, ValueError):
        raise ValueError(otherwise) from None


def _unless(problem: str | None, value: Value) -> Value:
    if problem is not None:
        raise ValueError(problem)
    return value
