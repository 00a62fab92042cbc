"""The tables of the read models, and how far each has come. The migrations create them."""

from sqlalchemy import BigInteger, Boolean, Column, Float, Integer, MetaData, String, Table, Text, Uuid

from projections.booking_row import LegRows
from projections.columns import Instant

metadata = MetaData()

booking_list = Table(
    "booking_list",
    metadata,
    Column("booking_id", Uuid, primary_key=True),
    Column("company_id", String, nullable=False),
    Column("status", String, nullable=False),
    Column("service_id", String, nullable=False),
    Column("customer_id", Uuid, nullable=False),
    Column("starts_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False),
    Column("time_zone", String, nullable=False),
    Column("source", String, nullable=False),
    Column("staff_id", String),
    Column("calcom_booking_uid", String),
    Column("appointment_id", Uuid),
    Column("failure_reason", String),
    Column("failure_detail", Text),
    Column("idempotency_key", String, nullable=False),
    Column("correlation_id", String, nullable=False),
    Column("resilience_strategy", String),
    Column("version", BigInteger, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("legs", LegRows),
    Column("undecided", Boolean, nullable=False),
)

sync_failures = Table(
    "sync_failures",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("company_id", String, nullable=False),
    Column("booking_id", Uuid, nullable=False),
    Column("appointment_id", Uuid),
    Column("calcom_booking_id", String),
    Column("attempt_id", String),
    Column("failure_type", String, nullable=False),
    Column("error_message", Text, nullable=False),
    Column("proposed_repair", String, nullable=False),
    Column("status", String, nullable=False),
    Column("resolution", Text),
    Column("actor", String),
    Column("attempt_count", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("resolved_at", Instant),
)

sync_failure_bookings = Table(
    "sync_failure_bookings",
    metadata,
    Column("booking_id", Uuid, primary_key=True),
    Column("company_id", String, nullable=False),
    Column("appointment_id", Uuid),
    Column("version", BigInteger, nullable=False),
)

appointment_standings = Table(
    "appointment_standings",
    metadata,
    Column("booking_id", Uuid, primary_key=True),
    Column("company_id", String, nullable=False),
    Column("customer_id", Uuid, nullable=False),
    Column("status", String, nullable=False),
    Column("appointments", Integer, nullable=False),
    Column("moves", Integer, nullable=False),
    Column("last_event_at", Instant, nullable=False),
    Column("version", BigInteger, nullable=False),
)

customer_engagement = Table(
    "customer_engagement",
    metadata,
    Column("customer_id", Uuid, primary_key=True),
    Column("company_id", String, nullable=False),
    Column("score", Integer, nullable=False),
    Column("requested", Integer, nullable=False),
    Column("booked", Integer, nullable=False),
    Column("moved", Integer, nullable=False),
    Column("cancelled", Integer, nullable=False),
    Column("last_event_at", Instant, nullable=False),
)

notification_requests = Table(
    "notification_requests",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("company_id", String, nullable=False),
    Column("booking_id", Uuid, nullable=False),
    Column("kind", String, nullable=False),
    Column("status", String, nullable=False),
    Column("created_at", Instant, nullable=False),
)

alerts = Table(
    "alerts",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("rule", String, nullable=False),
    Column("service", String, nullable=False),
    Column("occasion", Integer, nullable=False),
    Column("severity", String, nullable=False),
    Column("value", Float, nullable=False),
    Column("threshold", Float, nullable=False),
    Column("since", Instant, nullable=False),
    Column("raised_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("cleared_at", Instant),
    Column("version", BigInteger, nullable=False),
)

circuit_breaker_events = Table(
    "circuit_breaker_events",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("service", String, nullable=False),
    Column("from_state", String, nullable=False),
    Column("to_state", String, nullable=False),
    Column("cause", String, nullable=False),
    Column("reason", Text),
    Column("actor", String),
    Column("failures", Integer, nullable=False),
    Column("calls", Integer, nullable=False),
    Column("slow", Integer),
    Column("epoch", BigInteger, nullable=False),
    Column("shared", Boolean, nullable=False),
    Column("instance", String),
    Column("at", Instant, nullable=False),
)

projection_checkpoints = Table(
    "projection_checkpoints",
    metadata,
    Column("name", String, primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("updated_at", Instant, nullable=False),
)

projection_parked = Table(
    "projection_parked",
    metadata,
    Column("name", String, primary_key=True),
    Column("stream_id", Uuid, primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("error", Text, nullable=False),
    Column("parked_at", Instant, nullable=False),
)
