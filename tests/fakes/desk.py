"""
The reconciler at work over an office.
"""

from __future__ import annotations

from datetime import timedelta

from domain.service import Service
from sagas.reconciling import Reconciler, Sweep
from tests.fakes.books import FakeBooks, FakePace
from tests.fakes.given import SERVICE, WISH
from tests.fakes.office import Office


class Desk:
    def __init__(self, office: Office, service: Service = SERVICE) -> None:
        self.office = office
        self.books = FakeBooks(office.log, service)
        self.pace = FakePace()
        self.reconciler = Reconciler(
            convergence=office.sagas.convergence,
            calendars=office.calendar,
            books=self.books,
            clock=office.clock,
            pace=self.pace,
        )

    def sweep(self, *, since: timedelta | None = None, dry_run: bool = False) -> Sweep:
        (swept,) = self.office.run(self.reconciler.reconcile(since=since, dry_run=dry_run))
        return swept


def told(sweep: Sweep) -> list[tuple[str, str, str, str | None]]:
    return [
        (one.kind, one.repair, one.uid, None if one.converged is None else one.converged.outcome)
        for one in sweep.findings
    ]


def a_booked_desk() -> Desk:
    office = Office()
    office.run(office.orchestrator.book(WISH))
    return Desk(office)
