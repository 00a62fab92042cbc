"""What differs between both sides: listed, tried again, and decided by people."""

from uuid import UUID

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from adapters.directory.scopes import Scope
from adapters.representation import booking_document, sync_failure_document
from adapters.web.admission import admit, backend_of
from adapters.web.answering import Decision, decide
from adapters.web.answers import json_answer
from adapters.web.body import read_object
from adapters.web.documents import SyncFailureAnswer, SyncFailurePage
from adapters.web.fields import checked
from adapters.web.headers import preference
from adapters.web.operations import PATIENT, PlainRoute, described
from adapters.web.problems import invalid, not_found
from adapters.web.queries import FailureListing, queried
from adapters.web.wishes import ResolutionFields
from domain.errors import FieldError
from projections.bookings import summary
from projections.sync_failure_pages import FailureFilter

RETRY = "/api/sync-failures/{failure_id}/retry"
RESOLVE = "/api/sync-failures/{failure_id}/resolve"
router = APIRouter(route_class=PlainRoute, tags=["sync failures"])


@router.get(
    "/api/sync-failures",
    **described(
        "List what differs between both sides",
        scope=Scope.OPS_READ,
        query=FailureListing,
        answers={200: SyncFailurePage},
    ),
)
async def list_sync_failures(request: Request) -> Response:
    """Answer from the read model, the newest first; it may lag behind the log for a moment."""
    caller = await admit(request, Scope.OPS_READ)
    asked = queried(FailureListing, request)
    wanted = FailureFilter(company_id=caller.company_id, status=asked.status)
    try:
        page = await backend_of(request).sync_failures.page(wanted, limit=asked.limit, cursor=asked.cursor)
    except ValueError:
        raise invalid(FieldError("cursor", "must be the next_cursor of an answer to the same filters")) from None
    return json_answer(
        {"sync_failures": [sync_failure_document(one) for one in page.failures], "next_cursor": page.next_cursor}
    )


@router.post(
    RETRY,
    **described(
        "Try again to make both sides equal",
        path=RETRY,
        scope=Scope.OPS_WRITE,
        headers=(PATIENT,),
        answers={200: SyncFailureAnswer},
        problems=(404, 409),
    ),
)
async def retry(request: Request) -> Response:
    """
    Answer with where booking and sync failure stand once the saga has gone on, or the caller's time is up.

    Where no saga is to go on, Cal.com is read, and both sides are compared once more, however long that takes.
    """
    caller = await admit(request, Scope.OPS_WRITE)
    failure_id = _failure_id_of(request)
    decision = Decision(company_id=caller.company_id, failure_id=failure_id, answer="retry", actor=caller.key_id)
    return await _answer(request, decision)


@router.post(
    RESOLVE,
    **described(
        "Decide what becomes of a difference",
        path=RESOLVE,
        scope=Scope.OPS_WRITE,
        body=ResolutionFields,
        headers=(PATIENT,),
        answers={200: SyncFailureAnswer},
        problems=(404, 409),
    ),
)
async def resolve(request: Request) -> Response:
    """Answer with where booking and sync failure stand; whose key it was is recorded with the answer."""
    caller = await admit(request, Scope.OPS_WRITE)
    failure_id = _failure_id_of(request)
    fields = checked(ResolutionFields, await read_object(request))
    decision = Decision(
        company_id=caller.company_id,
        failure_id=failure_id,
        answer=fields.answer,
        adopt=fields.uid,
        actor=caller.key_id,
        note=fields.note or "",
    )
    return await _answer(request, decision)


async def _answer(request: Request, decision: Decision) -> Response:
    backend = backend_of(request)
    preferred = preference(request)
    decided = await decide(
        decision,
        failures=backend.sync_failures,
        streams=backend.streams,
        repairs=backend.repairs,
        patience=preferred.patience,
    )
    document = {
        "booking": booking_document(summary(decided.booking)),
        "sync_failure": sync_failure_document(decided.failure),
    }
    return preferred.noted_on(json_answer(document))


def _failure_id_of(request: Request) -> UUID:
    try:
        return UUID(request.path_params["failure_id"])
    except ValueError:
        raise not_found("sync failure") from None
