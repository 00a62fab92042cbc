"""What goes wrong at the moment, and what went wrong before."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from adapters.alerting.documents import alert_document
from adapters.directory.scopes import Scope
from adapters.web.admission import admit, backend_of
from adapters.web.alert_documents import AlertList
from adapters.web.answers import json_answer
from adapters.web.operations import PlainRoute, described
from adapters.web.queries import AlertListing, queried

router = APIRouter(route_class=PlainRoute, tags=["resilience"])


@router.get(
    "/api/resilience/alerts",
    **described("List alerts", scope=Scope.OPS_READ, query=AlertListing, answers={200: AlertList}),
)
async def list_alerts(request: Request) -> Response:
    """Answer from the read model, for all processes; no company has alerts of its own."""
    await admit(request, Scope.OPS_READ)
    asked = queried(AlertListing, request)
    backend = backend_of(request)
    found = await backend.alerts.list(status=asked.status, limit=asked.limit)
    figures = await backend.alert_figures.of(found)
    return json_answer({"alerts": [alert_document(one, figures.get(one.id)) for one in found]})
