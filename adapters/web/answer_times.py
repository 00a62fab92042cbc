"""How long our own answers take, by method and route."""

from starlette.types import Scope

TURNED_AWAY = frozenset({401, 403, 405, 429})
"""Answers to whoever is not let in: so quick that they would hide how slow the others are."""
_BROKEN = 500


def note_answer(scope: Scope, status: int, seconds: float) -> None:
    """Take note of an answer of the API that begins now; how fast it is read is not ours."""
    # The template, not the path: what callers put into a path is theirs.
    route = getattr(scope.get("route"), "path", "")
    if route.startswith("/api/") and status not in TURNED_AWAY:
        outcome = "failed" if status >= _BROKEN else "succeeded"
        scope["app"].state.backend.answered(f"{scope['method']} {route}", outcome, seconds)
