"""
What is remembered of webhooks saves a write, and never decides.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.webhook import webhook_id_of
from tests.unit.sagas.incoming import booked, incoming, outcome_of, receive


def test_a_repeat_that_is_remembered_writes_nothing() -> None:
    office = booked()
    webhook = incoming("BOOKING_CREATED", ours=True)
    said = receive(office, webhook)
    office.let_pass(600)
    before = office.log.commits

    assert ["stored", "known"] == said + receive(office, webhook)
    assert before == office.log.commits
    assert [False, True] == office.webhooks.judgments


def test_only_what_is_processed_is_remembered() -> None:
    office = booked()
    webhook, ping = incoming("BOOKING_CREATED", ours=True), incoming("PING")
    ids = [webhook_id_of(one.company_id, one.digest) for one in (webhook, ping)]
    receive(office, webhook, ping)
    stored = set(office.webhooks.known)
    office.let_pass(600)

    assert ({ids[1]}, {*ids}) == (stored, office.webhooks.known)


@pytest.mark.parametrize("lie", [True, False])
def test_a_memory_that_lies_changes_no_answer(lie: bool) -> None:
    office = booked()
    office.webhooks.lie = lambda _webhook_id: lie
    webhook, ping, broken = incoming("BOOKING_CREATED", ours=True), incoming("PING"), incoming("", None)
    first = receive(office, webhook, ping, replace(broken, problem="no JSON"))
    office.let_pass(600)

    assert ["stored", "ignored", "rejected"] == first
    assert ["known"] * 3 == receive(office, webhook, ping, replace(broken, problem="no JSON"))
    assert "equal" == outcome_of(office, webhook)
