"""When Redis was away from this process: since when, how often, and what has been decided without it meanwhile."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Literal, TypeAlias, get_args

Use: TypeAlias = Literal["breakers", "rate_limits", "marks"]
"""What a process asks Redis for; each finds out by itself, when it asks. Marks are repeats, and cached days."""
USES: tuple[Use, ...] = get_args(Use)


@dataclass(slots=True)
class _Absence:
    times: int = 0
    since: datetime | None = None
    until: datetime | None = None


class Absences:
    """Takes note of them; `tell` is told of each beginning, and of each end with None."""

    def __init__(
        self,
        *,
        now: Callable[[], datetime],
        tell: Callable[[Use, datetime | None], None] = lambda _use, _since: None,
    ) -> None:
        self._now = now
        self._tell = tell
        self._of: dict[Use, _Absence] = {use: _Absence() for use in USES}

    def of(self, use: Use) -> Callable[[int], None]:
        """Return what is given 1 when this process goes on without Redis for a use, and 0 when it is back."""
        return partial(self._heard, use)

    def said(self) -> str:
        """Return in words for what Redis is away or was, and how often; nothing if it never was."""
        return "; ".join(_sentence(use, one) for use, one in self._of.items() if one.times)

    def _heard(self, use: Use, alone: int) -> None:
        one = self._of[use]
        if bool(alone) == (one.since is not None):
            return
        if alone:
            one.since, one.times = self._now(), one.times + 1
        else:
            one.since, one.until = None, self._now()
        self._tell(use, one.since)


def _sentence(use: Use, one: _Absence) -> str:
    name, times = use.replace("_", " "), f"{one.times} time{'s' if one.times > 1 else ''} since it began"
    if one.since is not None:
        return f"{name}: this process goes on without it since {_at(one.since)}, {times}"
    return f"{name}: shared again since {_at(one.until)}, this process was without it {times}"


def _at(moment: datetime | None) -> str:
    return "" if moment is None else f"{moment:%Y-%m-%d %H:%M:%S} UTC"
