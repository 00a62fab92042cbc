"""What there is to say."""

from enum import StrEnum


class Phrase(StrEnum):
    """The first four are what the rungs of the fallback chain are called (M13)."""

    STALE = "stale"
    QUEUED = "queued"
    MANUAL_REVIEW = "manual_review"
    REFUSED = "refused"
    MAY_GO_ON = "may_go_on"
    PENDING = "pending"
    DEFERRED = "deferred"
    CANCEL_DEFERRED = "cancel_deferred"
    MOVE_DEFERRED = "move_deferred"
    COMPENSATING = "compensating"
    CANCELLING = "cancelling"
    RESCHEDULING = "rescheduling"
    NEEDS_REVIEW = "needs_review"
    NEAR_DUPLICATE = "near_duplicate"
    BOOKING_CANCELLED = "booking_cancelled"
    STAYS = "stays"
    ALREADY_OVER = "already_over"
    MADE_ELSEWHERE = "made_elsewhere"
    NOT_BOOKED = "not_booked"
    CANNOT_BE_MOVED = "cannot_be_moved"
    NOTHING_TO_DECIDE = "nothing_to_decide"
    OTHERWISE = "otherwise"
