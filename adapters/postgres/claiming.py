"""Which claims of a batch go into one statement: it sees no row that it writes itself."""

from collections.abc import Sequence
from typing import TypeAlias
from uuid import UUID

from sagas.appending import SlotClaim

Claims: TypeAlias = Sequence[tuple[UUID, SlotClaim]]


def in_turns(claims: Claims) -> Sequence[Claims]:
    """
    Divide claims, in their order, so that nobody who minds a near-duplicate misses one beside them.

    Where both mind, the table's constraints decide, within a statement, too. Only whoever comes after
    one of the same customer's that was wanted beside others has to wait for the next statement.
    """
    turns: list[list[tuple[UUID, SlotClaim]]] = [[]]
    beside: set[tuple[str, UUID]] = set()
    for booking_id, claim in claims:
        who = (claim.company_id, claim.customer_id)
        if claim.allow_near_duplicate:
            beside.add(who)
        elif who in beside:
            turns.append([])
            beside.clear()
        turns[-1].append((booking_id, claim))
    return turns
