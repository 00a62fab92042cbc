"""Saying that Cal.com rejects an API key, which stops all bookings of its companies."""

from hashlib import sha256

import structlog

from adapters.calcom import refusals
from adapters.calcom.answers import is_success, problem_of
from adapters.calcom.replies import Answer

_log = structlog.get_logger(__name__)


class KeyWatch:
    """Hears every answer to one key; says once that it is `rejected`, until it has been accepted again."""

    def __init__(self, api_key: str, *, company_id: str) -> None:
        # Several companies may have the same key; the digest is for telling keys apart, not for finding them out.
        self._facts = {"company_id": company_id, "key_digest": sha256(api_key.encode()).hexdigest()[:8]}
        self.rejected = False

    def heard(self, answer: Answer) -> None:
        """Take note of an answer."""
        if is_success(answer):
            if self.rejected:
                _log.warning("calcom.key.accepted_again", **self._facts)
            self.rejected = False
        elif not self.rejected and refusals.says_key_rejected(problem_of(answer)):
            self.rejected = True
            _log.critical("calcom.key.rejected", **self._facts)
