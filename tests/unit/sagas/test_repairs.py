from __future__ import annotations

import pytest

from domain.errors import NothingToDecide
from sagas.repairs import AnswerReview, Repairs
from tests.fakes.given import BOOKING_ID


async def test_nobody_is_asked() -> None:
    wish = AnswerReview(
        company_id="acme",
        booking_id=BOOKING_ID,
        attempt_id=None,
        uid=None,
        answer="retry",
        adopt=None,
        actor="grace",
        note="",
    )

    with pytest.raises(NothingToDecide):
        await Repairs().answer(wish, patience=0)
