"""
The list of bookings over a real log.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from adapters.followers import Followers
from adapters.log.store import Store
from domain.booking import initial_state
from domain.evolving import fold
from projections.booking_pages import BookingFilter, BookingPage, list_bookings
from projections.booking_row import BookingRow
from projections.bookings import summary
from sagas.appending import Recorded, booking_events
from tests.histories.appending import append
from tests.histories.bookings import history, wish

SALON = BookingFilter(company_id="salon")


async def test_the_list_shows_every_booking_as_its_stream_says(store: Store) -> None:
    histories = [history(Random(seed), wish(seed)) for seed in range(40)]
    await interleaved(store, histories)
    await Followers(store, follow_seconds=1).catch_up()

    assert sorted(map(folded, histories), key=by_start) == [*(await page(store, limit=200)).bookings]


async def test_pages_lead_through_the_list_once(store: Store) -> None:
    histories = [history(Random(seed), wish(seed)) for seed in range(25)]
    await interleaved(store, histories)
    await Followers(store, follow_seconds=1).catch_up()
    seen: list[BookingRow] = []
    cursor = None
    for _ in range(4):
        part = await page(store, limit=7, cursor=cursor)
        seen += part.bookings
        cursor = part.next_cursor

    assert cursor is None
    assert sorted(map(folded, histories), key=by_start) == seen


async def test_filters_are_kept(store: Store) -> None:
    histories = [history(Random(seed), wish(seed)) for seed in range(30)]
    other = history(Random(1), wish(1, company_id="another"))
    await interleaved(store, [*histories, other])
    await Followers(store, follow_seconds=1).catch_up()
    rows = sorted(map(folded, histories), key=by_start)
    middle = rows[15]

    of_status = await listed(store, replace(SALON, status=middle.status))
    of_service = await listed(store, replace(SALON, service_id="cut-1"))
    later = await listed(store, replace(SALON, starts_from=middle.starts_at))
    earlier = await listed(store, replace(SALON, starts_to=middle.starts_at))

    assert [row for row in rows if row.status == middle.status] == of_status
    assert [row for row in rows if row.service_id == "cut-1"] == of_service
    assert [row for row in rows if row.starts_at >= middle.starts_at] == later
    assert [row for row in rows if row.starts_at < middle.starts_at] == earlier
    assert [folded(other)] == await listed(store, BookingFilter(company_id="another"))


async def test_a_page_says_how_far_behind_it_is(store: Store) -> None:
    await append(store.log, history(Random(3), longest=5))
    before = await page(store)
    await Followers(store, follow_seconds=1).catch_up()
    after = await page(store)

    assert 0 == before.position < before.head
    assert after.head == after.position == before.head


async def interleaved(store: Store, histories: Sequence[Sequence[Recorded]]) -> None:
    """
    Append event by event, each time of another stream.
    """
    for place in range(max(map(len, histories))):
        for one in histories:
            if place < len(one):
                await append(store.log, one[place : place + 1])


async def listed(store: Store, wanted: BookingFilter) -> list[BookingRow]:
    found = await page(store, wanted, limit=200)
    return list(found.bookings)


async def page(
    store: Store, wanted: BookingFilter = SALON, *, limit: int = 50, cursor: str | None = None
) -> BookingPage:
    head = await store.log.head()
    with store.engine.connect() as connection:
        return list_bookings(connection, wanted, head=head, limit=limit, cursor=cursor)


def folded(recorded: Sequence[Recorded]) -> BookingRow:
    return summary(fold(initial_state(recorded[0].stream_id), booking_events(recorded)))


def by_start(row: BookingRow) -> tuple[object, str]:
    return row.starts_at, row.booking_id.hex
