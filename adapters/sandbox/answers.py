"""
Answers as bytes: successes, refusals in their three shapes, and 201s that nobody can read.
"""

from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any
from uuid import uuid4

import orjson
from starlette.responses import Response

from adapters.sandbox.announcements import Announcement
from adapters.sandbox.errors import Refusal, Shape
from adapters.sandbox.representation import instant

_PROXY_PAGE = (
    b"<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center></body></html>"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """
    A success before it is bytes.

    ``more`` stands beside ``data``, as the pagination of a list does. ``news`` is what subscribers are told before the
    caller gets the answer.
    """

    data: Any
    status: int = 200
    more: dict[str, Any] | None = None
    news: tuple[Announcement, ...] = ()

    def render(self, headers: dict[str, str]) -> Response:
        """
        Write the answer.
        """
        body = {"status": "success", "data": self.data, **(self.more or {})}
        return json_response(body, status=self.status, headers=headers)

    def render_unreadable(self, headers: dict[str, str]) -> Response:
        """
        Write the answer so that its JSON breaks off in the middle.
        """
        whole = orjson.dumps({"status": "success", "data": self.data})
        return Response(whole[: len(whole) // 2], self.status, headers, media_type="application/json")


def json_response(body: object, *, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """
    Write any JSON.
    """
    return Response(orjson.dumps(body), status, headers, media_type="application/json")


def render_refusal(refusal: Refusal, *, path: str, now: datetime, headers: dict[str, str]) -> Response:
    """
    Write a refusal in its shape, with an ``X-Request-Id`` as every error filter of Cal.com sets it.
    """
    if refusal.shape is Shape.HTML:
        return Response(_PROXY_PAGE, refusal.status, media_type="text/html")
    headers = {**headers, "X-Request-Id": str(uuid4())}
    if refusal.shape is Shape.INNER:
        body: dict[str, Any] = {"statusCode": refusal.status, "message": refusal.message}
    else:
        body = {"status": "error", "timestamp": instant(now), "path": path, "error": _error(refusal)}
    return json_response(body, status=refusal.status, headers=headers)


def _error(refusal: Refusal) -> dict[str, Any]:
    error: dict[str, Any] = {"code": refusal.code, "message": refusal.message}
    if refusal.violations is not None:
        error["details"] = {"errors": refusal.violations}
    elif refusal.shape is not Shape.PRISMA:
        phrase = HTTPStatus(refusal.status).phrase
        error["details"] = {"message": refusal.message, "error": phrase, "statusCode": refusal.status}
    return error
