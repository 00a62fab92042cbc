"""The one statement of `at_once`: the parts of all statements, each for those appends alone whose turn it is."""

from functools import cache
from typing import Final

from adapters.postgres import statements as sql

# Whether the stream is where it is expected to be, and whoever is sought is nobody else.
STANDS: Final = f"coalesce(({sql.VERSION}), 0) = wanted.version"
IS_NOBODY_ELSE: Final = f"""
coalesce((SELECT customer_id FROM ({sql.KNOWN}) AS known), wanted.customer_id) IS NOT DISTINCT FROM wanted.customer_id
"""  # noqa: S608 - our own words
LOOK: Final = f"SELECT stream_id, customer_id, refusable, {STANDS} AS fits FROM {sql.WANTED}"  # noqa: S608 - as above
LOOK_WHOEVER_IS_SOUGHT: Final = f"""
SELECT stream_id, customer_id, refusable, {STANDS} AND {IS_NOBODY_ELSE} AS fits FROM {sql.WANTED}
"""  # noqa: S608 - as above

# Arrays, since a join for each part made an append that is alone take the server two fifths longer.
FITTING: Final = """
SELECT array_agg(stream_id) AS streams, array_agg(customer_id) AS customers FROM looked WHERE fits
"""
WRITTEN: Final = "SELECT array_agg(stream_id) AS streams FROM ({each}) AS each"
UNREFUSABLE: Final = "SELECT stream_id FROM looked WHERE fits AND NOT refusable"
RESERVED: Final = {
    "claims": "SELECT booking_id FROM new_claims",
    "appointments": "SELECT booking_id FROM new_appointments",
}
_FITS: Final = "= ANY((SELECT streams FROM fitting)::uuid[])"
_IS_WRITTEN: Final = "= ANY((SELECT streams FROM written)::uuid[])"
ONLY: Final = {
    "customers": "customer_id = ANY((SELECT customers FROM fitting)::uuid[])",
    "claims": f"claim.booking_id {_FITS}",
    "appointments": f"appointment.booking_id {_FITS}",
    "events": f"event.stream_id {_IS_WRITTEN}",
    "due": f"due.saga_id {_IS_WRITTEN}",
    "nothing_due": f"ended.saga_id {_IS_WRITTEN}",
    "released": f"freed.booking_id {_IS_WRITTEN}",
    "cancelled": f"cancelled.stream_id {_IS_WRITTEN}",
}
"""Which rows of each part are written when appends are written at once."""

OUTCOME: Final = "SELECT clock_timestamp(), (SELECT streams FROM fitting), (SELECT streams FROM written)"


@cache
def statement_of(parts: tuple[str, ...], *, seeks: bool) -> str:
    """Return the statement for these parts: first rows that may be refused, then the rest of whoever has theirs."""
    steps = {part: f"new_{part} AS ({sql.part(part, only=ONLY[part])})" for part in parts if part != "wanted"}
    first = [steps.pop(part) for part in ("customers", "claims", "appointments") if part in parts]
    written = [UNREFUSABLE, *(RESERVED[part] for part in ("claims", "appointments") if part in parts)]
    asides = [
        f"looked AS MATERIALIZED ({LOOK_WHOEVER_IS_SOUGHT if seeks else LOOK})",
        f"fitting AS MATERIALIZED ({FITTING})",
        *first,
        f"written AS MATERIALIZED ({WRITTEN.replace('{each}', ' UNION ALL '.join(written))})",
        *steps.values(),
    ]
    # Our own words, all of them.
    return f"WITH {', '.join(asides)} {OUTCOME}"
