"""The figures that a booking is decided by; the defaults are those of the public settings."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise

from domain.ledger import Line
from domain.moving import Move
from domain.retry import RetryPolicy

LINE = timedelta(seconds=2)
"""How long after their line may open those who wait in it are due."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """
    How long to wait, how often to try, when to call a person.

    `lease` must outlast a request that leaves at the last moment: `send_within` plus
    `attempt_limit` and a margin. An attempt may be called absent only after
    `clean_looks` looks that began `visibility` after its last possible answer.
    """

    version: str = "1"
    send_within: timedelta = timedelta(seconds=5)
    attempt_limit: timedelta = timedelta(seconds=10)
    lease: timedelta = timedelta(seconds=45)
    visibility: timedelta = timedelta(seconds=60)
    looks: tuple[timedelta, ...] = field(
        default_factory=lambda: tuple(timedelta(seconds=s) for s in (1, 3, 10, 30, 60))
    )
    clean_looks: int = 2
    horizon: timedelta = timedelta(seconds=900)
    expiry: timedelta = timedelta(hours=24)
    create_attempts: int = 3
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    inconsistent_after: int = 10
    review_after: int = 100

    def __post_init__(self) -> None:
        """Refuse figures under which two processes could work on one saga at once."""
        if self.lease <= self.send_within + self.attempt_limit:
            msg = "the lease must be longer than the time to send plus the time limit of an attempt"
            raise ValueError(msg)
        if not self.looks or any(b <= a for a, b in pairwise((timedelta(0), *self.looks))):
            msg = "the looks are one or more growing waits"
            raise ValueError(msg)
        if self.clean_looks < 1 or self.create_attempts < 1 or self.inconsistent_after < 1:
            msg = "clean_looks, create_attempts and inconsistent_after are at least 1"
            raise ValueError(msg)

    def absent_from(self, answer_by: datetime) -> datetime:
        """Return the moment from which on a clean look speaks for absence."""
        return answer_by + self.visibility

    def in_line(self, asked_for: float) -> timedelta:
        """
        Return the wait of one in a line that opens in so many seconds, a moment later, when it is known to be open.

        All are due at the same time then; who goes first is decided when they go.
        """
        return timedelta(seconds=min(asked_for, self.retry.cap)) + LINE

    @property
    def pace(self) -> timedelta:
        """Return the distance of the last two looks of the schedule: nothing new is seen by looking faster."""
        waits = (timedelta(0), *self.looks)
        return waits[-1] - waits[-2]

    def look_at(self, line: Line) -> datetime:
        """
        Return when to look next for an attempt in doubt.

        By the schedule first, then at its last pace and not before a look can count. Two
        looks are never closer than the schedule has them, however late the first one was,
        and looks that fail are repeated ever more slowly.
        """
        doubted_at = line.doubted_at or line.attempted_at
        return self._look_at(line, doubted_at=doubted_at, answer_by=line.answer_by, salt=line.attempt_id)

    def look_at_move(self, move: Move) -> datetime:
        """Return when to read a booking next that may have been moved, by the same schedule."""
        doubted_at = move.doubted_at or move.answer_by
        if doubted_at is None or move.answer_by is None:
            raise ValueError("a move that was never asked for is in no doubt")
        return self._look_at(move, doubted_at=doubted_at, answer_by=move.answer_by, salt=str(move.number))

    def horizon_of(self, line: Line) -> datetime:
        """Return when a clean look confirms an absence; later for an attempt that may have left later."""
        left_at = line.answer_by - self.send_within - self.attempt_limit
        return max(line.attempted_at, left_at) + self.horizon

    def look_at_horizon(self, line: Line) -> datetime:
        """Return when to look for an attempt that is thought absent, once more."""
        due = self.horizon_of(line)
        if line.last_looked_at is None or line.last_looked_at < due:
            return due
        return line.last_looked_at + max(self.looks[-1], self._after_failures(line, line.attempt_id))

    def _look_at(self, looked: Line | Move, *, doubted_at: datetime, answer_by: datetime, salt: str) -> datetime:
        if looked.last_looked_at is None:
            return doubted_at + self.looks[0]
        waits = (timedelta(0), *self.looks)
        step = min(looked.looks, len(self.looks) - 1)
        due = doubted_at + self.looks[looked.looks] if looked.looks < len(self.looks) else self.absent_from(answer_by)
        return max(due, looked.last_looked_at + max(waits[step + 1] - waits[step], self._after_failures(looked, salt)))

    def _after_failures(self, looked: Line | Move, salt: str) -> timedelta:
        failures = looked.failed_looks + looked.refused_looks
        return self.retry.delay(failures, salt=salt) if failures else timedelta(0)
