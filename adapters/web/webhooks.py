"""
Cal.com's webhooks: the signature is checked, the webhook stored, and that is all that Cal.com waits for.

Cal.com awaits the answer before it answers our own request, with no time limit: nothing
may be asked of it from here.
"""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from adapters.calcom.webhooks import SIGNATURE_HEADER, is_signed, read_webhook
from adapters.web.admission import backend_of
from adapters.web.answers import json_answer
from adapters.web.body import read_body
from adapters.web.documents import WebhookAnswer
from adapters.web.operations import PlainRoute, described
from adapters.web.problems import BAD_SIGNATURE, Problem, Refused, not_found
from domain.text import identifier_problem

LIMIT = 1024 * 1024
HOOK = "/api/webhooks/calcom/{company_id}"
router = APIRouter(route_class=PlainRoute, tags=["webhooks"])


@router.post(
    HOOK,
    **described(
        "Take a webhook of Cal.com's",
        path=HOOK,
        headers=((SIGNATURE_HEADER, "The HMAC-SHA256 of the raw body with the company's webhook secret, in hex."),),
        answers={200: WebhookAnswer},
        problems=(401, 404, 408, 413, 415, 503),
    ),
)
async def take_webhook(request: Request) -> Response:
    """Answer 200 once it is stored: `known` if it came before, `rejected` if nothing can be made of it."""
    company_id = request.path_params["company_id"]
    backend = backend_of(request)
    unnameable = identifier_problem(company_id) is not None
    secrets = None if unnameable else await backend.companies.webhook_secrets(company_id)
    if secrets is None:
        backend.metrics.webhook("unknown_company")
        raise not_found("company")
    body = await read_body(request, limit=LIMIT)
    signatures = request.headers.getlist(SIGNATURE_HEADER)
    if len(signatures) != 1 or not is_signed(body, signature=signatures[0], secrets=secrets):
        backend.metrics.webhook("bad_signature")
        detail = f"{SIGNATURE_HEADER} is missing, or is not the signature of this body with the company's secret."
        raise Refused(Problem(kind=BAD_SIGNATURE, detail=detail))
    return json_answer({"status": await backend.inbox.receive(read_webhook(body, company_id=company_id))})
