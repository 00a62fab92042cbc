"""
The connections to Cal.com: one pool for all companies.

httpx over aiohttp's transport costs a fraction of the CPU of httpx's own, and is called
below `httpx.AsyncClient`, which would double it for what is not wanted here: redirects,
cookies, proxies from the environment.
"""

import socket
import ssl
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import httpx
from aiohttp import ClientSession, DummyCookieJar, TCPConnector
from aiohttp.payload import AsyncIterablePayload, register_payload
from httpx_aiohttp import AiohttpTransport

from adapters.calcom.departure import Departure

# Shorter than the 5 s after which a server of Node's hangs up by default: a booking that is
# sent into a closing connection is in doubt for minutes, a new connection costs milliseconds.
_KEEP_ALIVE_SECONDS = 4.0
# What aiohttp would find by itself, after asking for each request what else its body might be.
register_payload(AsyncIterablePayload, Departure)


def open_transport(*, max_connections: int, attempt_seconds: float) -> httpx.AsyncBaseTransport:
    """Return a transport that connects on its first request, in whose event loop it stays."""
    transport = AiohttpTransport(verify=_trusted(), trust_env=False)
    transport.client = partial(
        _session,
        verify=transport.ssl_context,
        max_connections=max_connections,
        make_socket=partial(_socket, unacknowledged_ms=int(attempt_seconds * 1000)),
    )
    return transport


@cache
def _trusted() -> ssl.SSLContext:
    # To read the certificates takes longer than to open everything else.
    return httpx.create_ssl_context(trust_env=False)


def _session(*, verify: Any, max_connections: int, make_socket: Callable[..., socket.socket]) -> ClientSession:  # noqa: ANN401
    connector = TCPConnector(
        limit=max_connections, ssl=verify, keepalive_timeout=_KEEP_ALIVE_SECONDS, socket_factory=make_socket
    )
    # A cookie of one company's account must not travel with another's key.
    return ClientSession(connector=connector, cookie_jar=DummyCookieJar(), trust_env=False)


def _socket(address: tuple[Any, ...], *, unacknowledged_ms: int) -> socket.socket:
    family, kind, protocol, *_ = address
    made = socket.socket(family, kind, protocol)
    made.setblocking(False)  # noqa: FBT003 - the socket's own signature
    # Else the kernel keeps delivering a request for minutes after its attempt was given up.
    if hasattr(socket, "TCP_USER_TIMEOUT") and family in {socket.AF_INET, socket.AF_INET6}:
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, unacknowledged_ms)
    return made
