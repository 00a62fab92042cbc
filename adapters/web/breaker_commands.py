"""What people make of the circuit breakers; whose key it was is kept with what they made."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from adapters.breakers.commanding import reset_each
from adapters.breakers.documents import breaker_documents
from adapters.breakers.policies import NAMES, SHARED
from adapters.directory.scopes import Scope
from adapters.web.admission import admit, backend_of
from adapters.web.answers import json_answer
from adapters.web.body import read_object
from adapters.web.breaker_documents import BreakerCommandFields, BreakerResetFields, BreakerResets, ControlledBreakers
from adapters.web.fields import checked
from adapters.web.operations import PlainRoute, described
from adapters.web.problems import invalid, not_found
from domain.breaker_words import Action, Command
from domain.errors import FieldError

ALL = "/api/resilience/breakers/reset"
ONE = "/api/resilience/breakers/{service}"
router = APIRouter(route_class=PlainRoute, tags=["resilience"])


@router.post(
    f"{ONE}/open",
    **described(
        "Let nothing through a circuit breaker",
        path=ONE,
        scope=Scope.FLEET_WRITE,
        body=BreakerCommandFields,
        answers={200: ControlledBreakers},
        problems=(404,),
    ),
)
async def open_(request: Request) -> Response:
    """Answer with how it stands; once the time is over, probes decide."""
    return await _command(request, "open")


@router.post(
    f"{ONE}/close",
    **described(
        "Let everything through a circuit breaker, whatever comes of it",
        path=ONE,
        scope=Scope.FLEET_WRITE,
        body=BreakerCommandFields,
        answers={200: ControlledBreakers},
        problems=(404,),
    ),
)
async def close(request: Request) -> Response:
    """Answer with how it stands; it counts nothing until the time is over."""
    return await _command(request, "close")


@router.post(
    f"{ONE}/observe",
    **described(
        "Let everything through a circuit breaker, and see what would open it",
        path=ONE,
        scope=Scope.FLEET_WRITE,
        body=BreakerCommandFields,
        answers={200: ControlledBreakers},
        problems=(404,),
    ),
)
async def observe(request: Request) -> Response:
    """Answer with how it stands; `would_open` says what would open it."""
    return await _command(request, "observe")


@router.post(
    f"{ONE}/reset",
    **described(
        "Close a circuit breaker, and let it decide by itself again",
        path=ONE,
        scope=Scope.FLEET_WRITE,
        body=BreakerResetFields,
        answers={200: ControlledBreakers},
        problems=(404,),
    ),
)
async def reset(request: Request) -> Response:
    """Answer with how it stands; what it has counted is forgotten."""
    return await _command(request, "reset", BreakerResetFields)


@router.post(
    ALL,
    **described(
        "Reset all circuit breakers",
        scope=Scope.FLEET_WRITE,
        body=BreakerResetFields,
        answers={200: BreakerResets},
    ),
)
async def reset_all(request: Request) -> Response:
    """Answer with what became of each."""
    caller = await admit(request, Scope.FLEET_WRITE, reads_database=False)
    fields = checked(BreakerResetFields, await read_object(request))
    command = _checked_command("reset", caller.key_id, fields.reason, None)
    done = await reset_each(backend_of(request).breakers, _names(request), command)
    snapshots = [one.snapshot for one in done if one.snapshot is not None]
    results = {one.name: one.result for one in done}
    return json_answer({"results": results, "services": breaker_documents(snapshots)})


async def _command(
    request: Request, action: Action, form: type[BreakerResetFields | BreakerCommandFields] = BreakerCommandFields
) -> Response:
    caller = await admit(request, Scope.FLEET_WRITE, reads_database=False)
    name = request.path_params["service"]
    if name not in _names(request):
        raise not_found("circuit breaker")
    if action != "reset" and name in NAMES and name not in SHARED:
        problem = "is each process's own breaker, which nobody can set for all; it can be reset where it is open"
        raise invalid(FieldError("service", problem))
    fields = checked(form, await read_object(request))
    seconds = fields.seconds if isinstance(fields, BreakerCommandFields) else None
    command = _checked_command(action, caller.key_id, fields.reason, seconds)
    return json_answer({"services": breaker_documents([await backend_of(request).breakers.control(name, command)])})


def _names(request: Request) -> tuple[str, ...]:
    """Return those that calsaga calls through, then those that callers' own code has used in this process."""
    return tuple(dict.fromkeys((*NAMES, *backend_of(request).standings.obeying)))


def _checked_command(action: Action, actor: str, reason: str, seconds: float | None) -> Command:
    try:
        return Command(action=action, actor=actor, reason=reason, seconds=seconds)
    except ValueError as error:
        # It names the field first.
        field, _, problem = str(error).partition(" ")
        raise invalid(FieldError(field, problem)) from None
