"""The sagas put together over their ports: one function that reads top to bottom."""

from collections.abc import Callable
from dataclasses import dataclass

from domain.booking import Booking
from domain.confidence import DEFAULT_RULE, VoiceRule
from domain.policy import Policy
from sagas.assigning import Assigning
from sagas.convergence import Convergence
from sagas.effects import Effects
from sagas.engine import Engine
from sagas.inbox import Inbox, WebhookNews
from sagas.orchestrator import Orchestrator
from sagas.ports import (
    Agenda,
    Appointments,
    Calendars,
    Clock,
    Customers,
    Diary,
    Hints,
    Ids,
    Log,
    Offering,
    Pace,
    Services,
    WebhookHints,
)
from sagas.repairs import Repairs
from sagas.walk_in import WalkIns
from sagas.worker import Worker


@dataclass(frozen=True, slots=True, kw_only=True)
class Sagas:
    """What drives bookings in one process."""

    engine: Engine
    orchestrator: Orchestrator
    convergence: Convergence
    inbox: Inbox
    repairs: Repairs
    worker: Worker


def assemble(
    *,
    log: Log,
    agenda: Agenda,
    calendars: Calendars,
    appointments: Appointments,
    drain: Pace,
    services: Services,
    diary: Diary,
    offering: Offering,
    customers: Customers,
    hints: Hints,
    webhooks: WebhookHints,
    clock: Clock,
    ids: Ids,
    policy: Policy,
    count_webhook: Callable[[WebhookNews], None] = lambda _: None,
    moved: Callable[[Booking], None] = lambda _: None,
    voice: VoiceRule = DEFAULT_RULE,
    at_once: int = 32,
) -> Sagas:
    """Return the sagas of one process; `at_once` is how many its worker drives at a time."""
    effects = Effects(
        log=log,
        calendars=calendars,
        appointments=appointments,
        drain=drain,
        clock=clock,
        ids=ids,
        policy=policy,
    )
    engine = Engine(log=log, effects=effects, hints=hints, clock=clock, ids=ids, policy=policy, moved=moved)
    orchestrator = Orchestrator(
        engine=engine,
        assigning=Assigning(engine=engine, diary=diary, offering=offering, clock=clock, policy=policy),
        services=services,
        customers=customers,
        hints=hints,
        clock=clock,
        voice=voice,
    )
    convergence = Convergence(
        log=log,
        engine=engine,
        calendars=calendars,
        appointments=appointments,
        agenda=agenda,
        walk_ins=WalkIns(log=log, services=services, clock=clock, ids=ids),
        clock=clock,
        ids=ids,
        policy=policy,
    )
    inbox = Inbox(
        log=log,
        engine=engine,
        convergence=convergence,
        hints=webhooks,
        clock=clock,
        ids=ids,
        policy=policy,
        count=count_webhook,
    )
    return Sagas(
        engine=engine,
        orchestrator=orchestrator,
        convergence=convergence,
        inbox=inbox,
        repairs=Repairs(
            orchestrator=orchestrator, convergence=convergence, calendars=calendars, agenda=agenda, clock=clock
        ),
        worker=Worker(
            engine=engine, inbox=inbox, events=log, agenda=agenda, drain=drain, policy=policy, at_once=at_once
        ),
    )
