"""How far the read models are behind the head of the log, by what the database holds, whoever follows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Engine, func, select

from adapters.log.store import Store
from projections.catalog import PROJECTIONS
from projections.checkpoints import positions_of
from projections.tables import projection_parked as parked
from sagas.appending import Recorded

BEHIND = timedelta(seconds=30)
"""How old the oldest event may be that a read model has not seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """
    How a read model stands: `lag` events behind the head, `parked` streams left out.

    `behind` is how long ago the first event was recorded that it has not seen.
    """

    lag: int
    parked: int
    behind: timedelta = timedelta(0)

    def problem(self, name: str) -> str | None:
        """Say what is wrong with it, if anything is."""
        if self.lag < 0:
            return (
                f"read model {name} is ahead of the log, which was restored: run `calsaga projections rebuild {name}`"
            )
        if self.behind > BEHIND:
            return (
                f"read model {name} is {self.behind.total_seconds():.0f} s and {self.lag} events behind the log: "
                "start `calsaga worker`"
            )
        if self.parked:
            return f"read model {name} leaves {self.parked} streams out: see `calsaga projections status`"
        return None


async def standings(store: Store) -> Mapping[str, Standing]:
    """
    Return how each read model stands.

    Raises:
        AppointmentDatabaseError: the database did not answer.

    """
    names = [one.name for one in PROJECTIONS]
    positions, left_out = await store.readers.run(lambda: _kept(store.engine, names))
    # Asked last: what is ahead of it then is ahead of the log itself.
    head = await store.log.head()
    ages = {position: await _age(store, position) for position in {*positions.values()} if position < head}
    return {
        name: Standing(lag=head - position, parked=left_out.get(name, 0), behind=ages.get(position, timedelta(0)))
        for name, position in positions.items()
    }


def _kept(engine: Engine, names: Sequence[str]) -> tuple[dict[str, int], dict[str, int]]:
    count = select(parked.c.name, func.count().label("streams")).where(parked.c.name.in_(names)).group_by(parked.c.name)
    with engine.connect() as connection:
        positions = dict.fromkeys(names, 0) | positions_of(connection, names)
        return positions, {row.name: row.streams for row in connection.execute(count)}


async def _age(store: Store, position: int) -> timedelta:
    """Return how long ago the event was recorded that comes after a position."""
    for entry in await store.log.read_all(after=position, limit=1):
        if isinstance(entry, Recorded):
            return max(store.clock.now() - entry.recorded_at, timedelta(0))
    return timedelta(0)
