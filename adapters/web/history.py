"""Reading bookings: one as it is or was, many by a filter, and the whole story of one."""

from collections.abc import Sequence

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from adapters.directory.scopes import Scope
from adapters.representation import booking_document, event_documents
from adapters.web.admission import admit, backend_of
from adapters.web.answers import answer_state, json_answer
from adapters.web.bookings import booking_id_of
from adapters.web.documents import BookingAnswer, BookingPage, Events, Timeline
from adapters.web.operations import PlainRoute, described
from adapters.web.problems import invalid, not_found
from adapters.web.queries import Form, Listing, Moment, queried
from domain.booking import initial_state
from domain.composite import CompositeInitiated
from domain.errors import FieldError
from domain.events import BookingInitiated
from domain.evolving import fold
from projections.booking_pages import BookingFilter
from projections.story import until
from projections.timeline import timeline, timeline_mermaid, timeline_text
from sagas.appending import Recorded, booking_events

ONE = "/api/bookings/{booking_id}"
EVENTS = f"{ONE}/events"
TIMELINE = f"{ONE}/timeline"
router = APIRouter(route_class=PlainRoute, tags=["bookings"])


@router.get(
    "/api/bookings",
    **described("List the company's bookings", scope=Scope.BOOKINGS_READ, query=Listing, answers={200: BookingPage}),
)
async def list_bookings(request: Request) -> Response:
    """Answer from the read model, which may lag behind the log for a moment."""
    caller = await admit(request, Scope.BOOKINGS_READ)
    asked = queried(Listing, request)
    wanted = BookingFilter(
        company_id=caller.company_id,
        status=asked.status,
        starts_from=asked.starts_from,
        starts_to=asked.starts_to,
        service_id=asked.service_id,
    )
    try:
        page = await backend_of(request).list.page(wanted, limit=asked.limit, cursor=asked.cursor)
    except ValueError:
        raise invalid(FieldError("cursor", "must be the next_cursor of an answer to the same filters")) from None
    return json_answer(
        {
            "bookings": [booking_document(row) for row in page.bookings],
            "next_cursor": page.next_cursor,
            "position": page.position,
            "head": page.head,
        }
    )


@router.get(
    ONE,
    **described(
        "Read a booking, as it is or as it was",
        path=ONE,
        scope=Scope.BOOKINGS_READ,
        query=Moment,
        answers={200: BookingAnswer},
        problems=(404,),
    ),
)
async def read_booking(request: Request) -> Response:
    """Answer from the log, so that what was just booked is there."""
    caller = await admit(request, Scope.BOOKINGS_READ)
    booking_id = booking_id_of(request)
    moment = queried(Moment, request)
    if moment.as_of is None and moment.at_version is None:
        return answer_state(await backend_of(request).bookings.get(booking_id, company_id=caller.company_id))
    recorded = await _stream(request, company_id=caller.company_id)
    try:
        held = until(recorded, as_of=moment.as_of, at_version=moment.at_version)
    except ValueError:
        raise invalid(FieldError("at_version", f"must be from 1 to {len(recorded)}")) from None
    if not held:
        raise invalid(FieldError("as_of", "is before the booking's first event"))
    return answer_state(fold(initial_state(booking_id), booking_events(held)))


@router.get(
    EVENTS,
    **described(
        "Read everything that has happened to a booking",
        path=EVENTS,
        scope=Scope.BOOKINGS_READ,
        answers={200: Events},
        problems=(404,),
    ),
)
async def read_events(request: Request) -> Response:
    """Answer with the booking's events; persons are masked."""
    caller = await admit(request, Scope.BOOKINGS_READ)
    return json_answer({"events": event_documents(await _stream(request, company_id=caller.company_id))})


@router.get(
    TIMELINE,
    **described(
        "Read a booking as a sequence diagram",
        path=TIMELINE,
        scope=Scope.BOOKINGS_READ,
        query=Form,
        answers={200: Timeline},
        problems=(404,),
    ),
)
async def read_timeline(request: Request) -> Response:
    """Answer with messages as JSON, with lines for a terminal, or with a Mermaid diagram."""
    caller = await admit(request, Scope.BOOKINGS_READ)
    form = queried(Form, request).format
    recorded = await _stream(request, company_id=caller.company_id)
    if form == "json":
        return json_answer({"timeline": timeline(recorded)})
    return PlainTextResponse(timeline_text(recorded) if form == "text" else timeline_mermaid(recorded))


async def _stream(request: Request, *, company_id: str) -> Sequence[Recorded]:
    recorded = await backend_of(request).streams.read(booking_id_of(request))
    first = recorded[0].event if recorded else None
    match first:
        case BookingInitiated() if first.service.company_id == company_id:
            return recorded
        case CompositeInitiated() if first.company_id == company_id:
            return recorded
        case _:
            raise not_found("booking")
