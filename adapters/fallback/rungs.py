"""How many answers each rung of the fallback chain has given, in this process."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias, get_args

from domain.fallback import Rung

Operation: TypeAlias = Literal["availability", "book", "cancel", "reschedule"]
OPERATIONS: tuple[Operation, ...] = get_args(Operation)
RUNGS: tuple[Rung, ...] = get_args(Rung)


@dataclass(frozen=True, slots=True, kw_only=True)
class RungCounts:
    """Answers by operation and rung, `since` this process began to count."""

    since: datetime
    answers: Mapping[Operation, Mapping[Rung, int]]


class Rungs:
    """Counts them; `count` is told of each as well."""

    def __init__(
        self, *, now: Callable[[], datetime], count: Callable[[Operation, Rung], None] = lambda _operation, _rung: None
    ) -> None:
        self._since = now()
        self._count = count
        self._answers: Counter[tuple[Operation, Rung]] = Counter()

    def answered(self, operation: Operation, rung: Rung) -> None:
        """Count one answer."""
        self._answers[operation, rung] += 1
        self._count(operation, rung)

    @property
    def counts(self) -> RungCounts:
        """Return what was counted."""
        answers: dict[Operation, dict[Rung, int]] = {
            operation: {rung: self._answers[operation, rung] for rung in RUNGS} for operation in OPERATIONS
        }
        return RungCounts(since=self._since, answers=answers)
