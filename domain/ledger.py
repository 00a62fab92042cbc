"""
The effect ledger: one line for everything that may stand at Cal.com because of us.

A line begins as intended and ends settled. A saga must not end while a line is open
(invariant 6), and what a line says is never guessed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from domain.replacing import replace
from domain.retry import HELD_BACK


class LineStatus(StrEnum):
    """What is known of one attempt."""

    INTENDED = "intended"
    """Announced in the log; no outcome is known yet."""
    IN_DOUBT = "in_doubt"
    """It may have made a booking or not; being looked for."""
    LIVE = "live"
    """A booking of ours stands at Cal.com."""
    NOT_SENT = "not_sent"
    REFUSED = "refused"
    ABSENT = "absent"
    """Looked for and not found; looked at once more at the horizon."""
    ABSENT_FOR_GOOD = "absent_for_good"
    CANCELLED = "cancelled"
    SET_ASIDE = "set_aside"
    """A person has taken it out of our hands."""


OPEN = frozenset({LineStatus.INTENDED, LineStatus.IN_DOUBT})


@dataclass(frozen=True, kw_only=True)
class Line:
    """One attempt; an attempt that turns out to have made two bookings has two lines, told apart by `uid`."""

    attempt_id: str
    number: int
    attempted_at: datetime
    answer_by: datetime
    status: LineStatus = LineStatus.INTENDED
    uid: str | None = None
    calcom_status: str | None = None
    reason: str | None = None
    detail: str = ""
    conflict: bool = False
    doubted_at: datetime | None = None
    looks: int = 0
    clean_looks: int = 0
    failed_looks: int = 0
    refused_looks: int = 0
    """Since the last one that worked, like those that failed; an open breaker kept them back, so they say nothing."""
    last_looked_at: datetime | None = None
    in_review: bool = False
    foreign: bool = False
    """Made by somebody else at Cal.com, and never changed there by us."""
    cancels: int = 0
    cancel_failures: int = 0
    retry_cancel_at: datetime | None = None
    cancel_deferred_for: str | None = None
    """Why its cancel waits, if Cal.com is not to be asked at all now."""

    @property
    def is_open(self) -> bool:
        """Tell whether its outcome is still unknown."""
        return self.status in OPEN

    def is_doubted_by(self, lost_at: datetime) -> bool:
        """
        Tell whether an answer that was lost at this moment is news.

        An attempt is in doubt again if it was looked for while its process stood still, and had not even asked yet.
        """
        waited_for = self.uid is None and self.status in {*OPEN, LineStatus.ABSENT, LineStatus.ABSENT_FOR_GOOD}
        return self.status is LineStatus.INTENDED or (waited_for and lost_at > self.answer_by)

    @property
    def may_turn_up(self) -> bool:
        """Tell whether a look can still change what is known: in doubt, or thought absent."""
        return self.uid is None and self.status in {LineStatus.IN_DOUBT, LineStatus.ABSENT}


@dataclass(frozen=True, slots=True)
class Ledger:
    """All lines of a booking, in the order in which they were opened."""

    lines: tuple[Line, ...] = ()

    @property
    def open(self) -> tuple[Line, ...]:
        """Return the lines without a known outcome that nobody was asked about."""
        return tuple(line for line in self.lines if line.is_open and not line.in_review)

    @property
    def live(self) -> tuple[Line, ...]:
        """Return the lines with a booking at Cal.com."""
        return tuple(line for line in self.lines if line.status is LineStatus.LIVE)

    @property
    def in_review(self) -> tuple[Line, ...]:
        """Return the lines about which a person must decide."""
        return tuple(line for line in self.lines if line.in_review)

    @property
    def presumed_absent(self) -> tuple[Line, ...]:
        """Return the lines that the look at the horizon has yet to confirm."""
        return tuple(line for line in self.lines if line.status is LineStatus.ABSENT)

    @property
    def counted_attempts(self) -> int:
        """Return how many attempts may have reached Cal.com; those certainly not sent are not among them."""
        return sum(line.status is not LineStatus.NOT_SENT for line in self.lines)

    @property
    def was_tried(self) -> bool:
        """Tell whether anything was tried at all; what calsaga itself held back was not."""
        return any(line.status is not LineStatus.NOT_SENT or line.reason not in HELD_BACK for line in self.lines)

    def of(self, attempt_id: str) -> Line | None:
        """Return the first line of an attempt."""
        return next((line for line in self.lines if line.attempt_id == attempt_id), None)

    def holding(self, uid: str) -> Line | None:
        """Return the line with this uid."""
        return next((line for line in self.lines if line.uid == uid), None)

    def opened(self, line: Line) -> "Ledger":
        """Return the ledger with one line more."""
        return Ledger((*self.lines, line))

    def changed(self, which: Callable[[Line], bool], **facts: object) -> "Ledger":
        """Return the ledger with new facts in every line that `which` picks."""
        return Ledger(tuple(replace(line, **facts) if which(line) else line for line in self.lines))  # type: ignore[arg-type]
