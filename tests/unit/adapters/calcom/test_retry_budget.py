"""
Creates that are tried again have a budget; those that are not, have none.
"""

from __future__ import annotations

from adapters.resilience.budget import RetryBudget
from tests.unit.adapters.calcom.building import an_account, says_bytes


async def test_retries_are_held_back_once_their_budget_is_spent() -> None:
    account = an_account(says_bytes(200, b""))
    calendars = account.calendars()
    calendars._budget = RetryBudget(share=0.5, per_second=0, at_once=2)
    calendar = await calendars.of("acme")
    retries = [calendar.count_attempt(again=True) for _ in range(3)]
    spent = retries[-1]
    firsts = [calendar.count_attempt(again=False) for _ in range(20)]

    assert [None, None] == retries[:2]
    assert spent is not None
    assert ("retry_budget", 5.0, True) == (spent.reason, spent.retry_after, spent.defer)
    assert {None} == set(firsts)
    assert calendar.count_attempt(again=True) is None
