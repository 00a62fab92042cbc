"""Counting which rung of the fallback chain answers come from."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

from starlette.requests import Request

from adapters.fallback.rungs import Operation
from adapters.web.admission import backend_of
from adapters.web.problems import UNAVAILABLE, Refused
from adapters.web.refusals import problem_of
from domain.errors import AppointmentError
from domain.fallback import Rung

Answered: TypeAlias = Callable[[Rung], None]


@contextmanager
def answering(request: Request, operation: Operation) -> Iterator[Answered]:
    """Have the rung counted that an operation is answered from; that nothing is available counts by itself."""
    rungs = backend_of(request).rungs
    try:
        yield lambda rung: rungs.answered(operation, rung)
    except (Refused, AppointmentError) as error:
        problem = error.problem if isinstance(error, Refused) else problem_of(error)
        if problem.kind is UNAVAILABLE:
            rungs.answered(operation, "refused")
        raise


def patience_of(request: Request, seconds: float) -> float:
    """Return how long to wait for an outcome: not at all while full fallback holds, since it cannot come soon."""
    return 0.0 if backend_of(request).fallback.mode == "full_fallback" else seconds
