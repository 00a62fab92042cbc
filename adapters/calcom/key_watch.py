"""Knowing that Cal.com rejects an API key, which stops all bookings of its companies."""

import time
from collections.abc import Callable
from datetime import datetime
from hashlib import sha256

import structlog

from adapters.calcom import refusals
from adapters.calcom.answers import is_success, problem_of
from adapters.calcom.endpoints import Call, me
from adapters.calcom.replies import Answer, Reply, Unsent

SOONEST = 1.0
"""How many seconds a call is held back at least, while the read that tries the key is under way."""
_TRIES = me().op
_log = structlog.get_logger(__name__)


class KeyWatch:
    """
    Hears every answer to one key; says once that it is `rejected`, until it has been accepted again.

    A rejected key rests for `rest` seconds until a read tries it again (`adapters/calcom/key_trials.py`), and nothing
    else is sent with it meanwhile. `now` tells the database's time, `clock` this process's seconds.
    """

    def __init__(
        self,
        api_key: str,
        *,
        company_id: str,
        now: Callable[[], datetime],
        rest: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        # Several companies may have the same key; the digest is for telling keys apart, not for finding them out.
        self._facts = {"company_id": company_id, "key_digest": sha256(api_key.encode()).hexdigest()[:8]}
        self._now = now
        self._rest = rest
        self._clock = clock
        self._tried_at = 0.0
        self.rejected_since: datetime | None = None

    @property
    def rejected(self) -> bool:
        """Tell whether Cal.com rejects the key, as far as is known."""
        return self.rejected_since is not None

    def held_back(self, call: Call) -> Unsent | None:
        """Refuse a call that Cal.com would refuse; not the read that finds out whether it still would."""
        if not self.rejected or call.op == _TRIES:
            return None
        left = self._tried_at + self._rest - self._clock()
        detail = "not sent, because Cal.com rejects the company's API key"
        return Unsent(reason="unauthorized", detail=detail, retry_after=max(left, SOONEST), defer=True)

    def heard(self, answer: Answer) -> None:
        """Take note of an answer."""
        if is_success(answer):
            if self.rejected:
                _log.warning("calcom.key.accepted_again", **self._facts)
            self.rejected_since = None
        elif is_rejection(answer):
            self._tried_at = self._clock()
            if not self.rejected:
                self.rejected_since = self._now()
                _log.critical("calcom.key.rejected", **self._facts)


def is_rejection(reply: Reply | None) -> bool:
    """Tell whether a reply rejects the key: a call that came to nothing, and says nothing of Cal.com's health."""
    return isinstance(reply, Answer) and not is_success(reply) and refusals.says_key_rejected(problem_of(reply))
