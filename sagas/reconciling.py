"""
The reconciler: compares everything that Cal.com holds with everything that we hold, both ways.

It finds what no webhook has told. A list is a hint, too: whatever seems to differ is
read once more by its uid before anything is written. What Cal.com says was changed
since the last sweep is looked at with an overlap, and all that is still to come.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from domain.booking import Booking
from domain.service import Service
from sagas import outcomes as o
from sagas.converged import Converged
from sagas.convergence import Convergence
from sagas.converging import Difference, NotNow, compare
from sagas.ports import Calendars, Clock, Pace

OVERLAP = timedelta(minutes=10)
"""How far a sweep goes back behind the end of the last one: replicas lag, and clocks differ."""

STILL_RUNNING = timedelta(days=1)
"""How long ago an appointment may have begun and still be compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """
    One thing that differs. `kind` is one of M6's; `repair` is what is done, or would be.

    `converged` is what came of the repair, None in a dry run.
    """

    company_id: str
    uid: str
    kind: str
    repair: str
    evidence: str
    booking_id: UUID | None
    converged: Converged | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """What one sweep of a service has seen; `problem` is why it could not see everything."""

    company_id: str
    event_type_id: int
    seen: int
    findings: tuple[Finding, ...]
    problem: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How many event types are done, and what was found so far."""

    event_types: int
    done: int
    findings: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BookedRow:
    """A booked appointment that has a uid at Cal.com."""

    booking_id: UUID
    uid: str


class Books(Protocol):
    """What is booked here, and how far Cal.com's side has been swept."""

    async def services(self) -> Sequence[Service]:
        """Return all services of all companies."""
        ...

    async def booked(self, *, company_id: str, event_type_id: int, ending_after: datetime) -> Sequence[BookedRow]:
        """Return the booked appointments of an event type that have not ended by then."""
        ...

    async def swept_until(self, *, company_id: str, event_type_id: int) -> datetime | None:
        """Return up to when Cal.com's changes have been seen, None if never."""
        ...

    async def swept(self, *, company_id: str, event_type_id: int, until: datetime) -> None:
        """Take note of a sweep that has seen everything up to a moment."""
        ...


class Reconciler:
    """Sweeps one event type after the other."""

    def __init__(
        self, *, convergence: Convergence, calendars: Calendars, books: Books, clock: Clock, pace: Pace
    ) -> None:
        self._convergence = convergence
        self._calendars = calendars
        self._books = books
        self._clock = clock
        self._pace = pace

    async def reconcile(
        self,
        *,
        since: timedelta | None = None,
        dry_run: bool = False,
        told: Callable[[Progress], None] = lambda _: None,
    ) -> list[Sweep]:
        """
        Compare both sides for every event type that a service of ours books, and mend what can be mended.

        `since` is how far back to go; without it, to the end of the last sweep. A dry run
        writes nothing, and remembers nothing. `told` hears before each event type, after
        each finding, and at the end, how far it is.

        Raises:
            AppointmentDatabaseError: the database did not answer.

        """
        event_types = {(one.company_id, one.calcom_event_type_id) for one in await self._books.services()}
        sweeps: list[Sweep] = []

        def tell(more: int = 0) -> None:
            findings = sum(len(one.findings) for one in sweeps) + more
            told(Progress(event_types=len(event_types), done=len(sweeps), findings=findings))

        for company_id, event_type_id in sorted(event_types):
            tell()
            sweeps.append(await self._sweep(company_id, event_type_id, since=since, dry_run=dry_run, found=tell))
        tell()
        return sweeps

    async def _sweep(
        self,
        company_id: str,
        event_type_id: int,
        *,
        since: timedelta | None,
        dry_run: bool,
        found: Callable[[int], None],
    ) -> Sweep:
        now = self._clock.now()
        changed_since = await self._changed_since(company_id, event_type_id, since, now)
        # Read before the list, which takes its time: what is booked meanwhile need not be in it.
        rows = await self._books.booked(company_id=company_id, event_type_id=event_type_id, ending_after=now)
        calendar = await self._calendars.of(company_id)
        sighted = await calendar.sightings(
            event_type_id, changed_since=changed_since, starting_after=now - STILL_RUNNING, pace=self._pace
        )
        if isinstance(sighted, o.LookFailed):
            return Sweep(
                company_id=company_id, event_type_id=event_type_id, seen=0, findings=(), problem=sighted.reason
            )
        suspects = [one for seen in sighted.seen if (one := await self._suspect(company_id, seen, now)) is not None]
        suspects += await self._missing(company_id, rows, sighted)
        findings = suspects if dry_run else await self._mend_all(suspects, found)
        if not dry_run and since is None:
            await self._books.swept(company_id=company_id, event_type_id=event_type_id, until=sighted.started_at)
        return Sweep(
            company_id=company_id, event_type_id=event_type_id, seen=len(sighted.seen), findings=tuple(findings)
        )

    async def _changed_since(
        self, company_id: str, event_type_id: int, since: timedelta | None, now: datetime
    ) -> datetime:
        if since is not None:
            return now - since
        last = await self._books.swept_until(company_id=company_id, event_type_id=event_type_id)
        return now - STILL_RUNNING if last is None else last - OVERLAP

    async def _suspect(self, company_id: str, seen: o.Standing | o.Gone, now: datetime) -> Finding | None:
        booking = await self._convergence.booking_of(company_id, seen)
        if booking is None:
            if isinstance(seen, o.Gone) or await self._convergence.kept_by_others(company_id, seen) is not None:
                return None
            return _unknown(company_id, seen)
        return _differing(company_id, booking, seen, now)

    async def _missing(self, company_id: str, rows: Sequence[BookedRow], sighted: o.Sighted) -> list[Finding]:
        """
        Return what is booked here and not in the list, which has all that is still to come.

        What a person lets stand all the same is left out, and costs no look for ever.
        """
        seen = {uid for one in sighted.seen for uid in one.uids}
        become = {before: one.uid for one in sighted.seen for before in one.origins}
        held = {row.uid for row in rows}
        missed = [
            row
            for row in rows
            if become.get(row.uid) in held
            or (row.uid not in seen and not await self._convergence.is_let_stand(row.booking_id, row.uid))
        ]
        return [
            Finding(
                company_id=company_id,
                uid=row.uid,
                kind="ghost",
                repair="look",
                evidence="booked here, and not in Cal.com's list",
                booking_id=row.booking_id,
            )
            for row in missed
        ]

    async def _mend_all(self, suspects: Sequence[Finding], found: Callable[[int], None]) -> list[Finding]:
        findings: list[Finding] = []
        for suspect in suspects:
            finding = await self._mend(suspect)
            if finding is not None:
                findings.append(finding)
                found(len(findings))
        return findings

    async def _mend(self, finding: Finding) -> Finding | None:
        """Return what came of it, or None if nothing differs: a list is behind, and others mend, too."""
        converged = await self._convergence.look_into(
            finding.company_id, finding.uid, booking_id=finding.booking_id, pace=self._pace
        )
        if converged.outcome in {"equal", "ignored"}:
            return None
        return Finding(
            company_id=finding.company_id,
            uid=finding.uid,
            kind=finding.kind,
            repair=finding.repair,
            evidence=finding.evidence,
            booking_id=converged.booking_id or finding.booking_id,
            converged=converged,
        )


def _unknown(company_id: str, seen: o.Standing) -> Finding:
    ours = seen.attempt_id is not None or seen.booking_id is not None
    return Finding(
        company_id=company_id,
        uid=seen.uid,
        kind="foreign_booking",
        repair="manual_review" if ours else "adopt",
        evidence="it carries metadata of calsaga's that this log does not know" if ours else "made at Cal.com",
        booking_id=None,
    )


def _differing(company_id: str, booking: Booking, seen: o.Standing | o.Gone, now: datetime) -> Finding | None:
    compared = compare(booking, seen, now=now)
    if compared is None or compared is NotNow.UNDER_WAY:
        return None
    if isinstance(compared, Difference):
        kind, repair, evidence = compared.kind, compared.repair, compared.evidence
    elif compared is NotNow.REBOOKED:
        kind, repair, evidence = "foreign_booking", "adopt", "cancelled at Cal.com, and booked anew there"
    else:
        kind, repair, evidence = "orphan", "look", "its saga is looking for it"
    return Finding(
        company_id=company_id,
        uid=seen.uid,
        kind=kind,
        repair=repair,
        evidence=evidence,
        booking_id=booking.booking_id,
    )
