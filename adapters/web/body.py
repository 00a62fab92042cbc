"""
From a body's bytes to a JSON object, with nothing let through that two readers could read differently.
"""

import asyncio
import json
from typing import Any, Never

import orjson
from starlette.requests import ClientDisconnect, Request

from adapters.web.problems import BAD_REQUEST, ENCODED, NOT_JSON, TOO_LARGE, TOO_SLOW, Problem, Refused

LIMIT = 64 * 1024
DEEPEST = 32
BODY_SECONDS = 20.0
"""From the headers to the end of the body, as long as those may take themselves."""
_SEND_PLAIN = "Send the body as it is, without Content-Encoding: compressed bodies are not read."
# What the caller still sends would have to be read first.
_NOT_WORTH_KEEPING = {"Connection": "close"}
_TOO_DEEP = f"is nested more than {DEEPEST} levels deep"


class NotAnObject(ValueError):
    """What was sent is no JSON object; the message says why, as in "The body must be …"."""


async def read_object(request: Request) -> dict[str, Any]:
    """
    Return the request's JSON object.

    Raises:
        Refused: it is too large (413), too slow (408), compressed (415), not JSON or not an object (400).

    """
    raw = await read_body(request, limit=LIMIT)
    try:
        return parse_object(raw)
    except NotAnObject as error:
        raise Refused(Problem(kind=NOT_JSON, detail=f"The body {error}.")) from None


def parse_object(raw: bytes) -> dict[str, Any]:
    """
    Return the JSON object in these bytes.

    orjson is the stricter judge: it refuses invalid UTF-8, lone surrogates, NaN,
    infinities and endless nesting. The value is the standard library's, whose integers
    are exact and which shows repeated names.

    Raises:
        NotAnObject: it is not JSON, or not an object, or nested too deeply, or a name stands twice.

    """
    try:
        orjson.loads(raw)
        value = json.loads(raw, object_pairs_hook=_once)
    except orjson.JSONDecodeError as error:
        # Without the cause: it holds the body.
        line = f"line {error.lineno}, " if b"\n" in raw else ""
        raise NotAnObject(f"is not JSON: {line}column {error.colno}") from None
    except RecursionError:
        raise NotAnObject(_TOO_DEEP) from None
    if not isinstance(value, dict):
        raise NotAnObject("must be a JSON object, in braces")
    if _depth_exceeds(value, DEEPEST):
        raise NotAnObject(_TOO_DEEP)
    return value


async def read_body(request: Request, *, limit: int) -> bytes:
    """
    Return the request's body as it came.

    Raises:
        Refused: it is larger than `limit` bytes (413), does not come in time (408), is compressed (415), or ended early
            (400).

    """
    if request.headers.get("content-encoding", "identity").strip().lower() not in {"identity", ""}:
        raise Refused(Problem(kind=ENCODED, detail=_SEND_PLAIN, headers={"Accept-Encoding": "identity"}))
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and (len(announced) > len(str(limit)) or int(announced) > limit):
        _refuse_size(limit)
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await _read(request, limit)
    except ClientDisconnect:
        raise Refused(Problem(kind=BAD_REQUEST, detail="The body ended early.")) from None
    except TimeoutError:
        detail = f"The body must have come {BODY_SECONDS:g} seconds after the headers; nothing was done. Send it again."
        raise Refused(Problem(kind=TOO_SLOW, detail=detail, headers=_NOT_WORTH_KEEPING)) from None


async def _read(request: Request, limit: int) -> bytes:
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            _refuse_size(limit)
        chunks.append(chunk)
    return b"".join(chunks)


def _refuse_size(limit: int) -> Never:
    detail = f"The body must be at most {limit} bytes."
    raise Refused(Problem(kind=TOO_LARGE, detail=detail, headers=_NOT_WORTH_KEEPING))


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise NotAnObject("has a name twice in the same object; keep one of them")
    return members


def _depth_exceeds(value: object, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    inside = value.values() if isinstance(value, dict) else value
    return not levels or any(_depth_exceeds(one, levels - 1) for one in inside)
