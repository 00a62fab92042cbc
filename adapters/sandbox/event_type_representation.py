"""
Event types, and the owner of the key, as Cal.com's JSON.
"""

from typing import Any

from adapters.sandbox.event_types import EventType, Host, Scheduling

# What every event type of the sandbox has in common.
_COMMON: dict[str, Any] = {
    "description": "",
    "locations": [],
    "bookingFields": [],
    "disableGuests": False,
    "slotInterval": None,
    "beforeEventBuffer": 0,
    "afterEventBuffer": 0,
    "metadata": {},
    "currency": "usd",
    "lockTimeZoneToggleOnBookingPage": False,
    "seatsPerTimeSlot": None,
    "forwardParamsSuccessRedirect": None,
    "successRedirectUrl": None,
    "isInstantEvent": False,
    "scheduleId": None,
    "hidden": False,
    "disableRescheduling": {"disabled": False},
}


def event_type_output(event_type: EventType) -> dict[str, Any]:
    """
    Write an event type as Cal.com's ``EventTypeOutput`` of 2024-06-14, or as its team kin.
    """
    host = Host(id=event_type.hosts[0])
    output: dict[str, Any] = {
        **_COMMON,
        "id": event_type.id,
        "lengthInMinutes": event_type.length,
        "title": event_type.name,
        "slug": event_type.slug,
        "minimumBookingNotice": event_type.minimum_notice,
        "recurrence": _recurrence(event_type),
        "price": event_type.price,
        "confirmationPolicy": _confirmation(event_type),
        "bookingRequiresAuthentication": event_type.booking_requires_authentication,
        "disableCancelling": {"disabled": event_type.disable_cancelling},
        "bookingUrl": f"https://cal.com/{host.username}/{event_type.slug}",
    }
    if event_type.length_options:
        output["lengthInMinutesOptions"] = list(event_type.length_options)
    if event_type.seats:
        seats = {"seatsPerTimeSlot": event_type.seats, "showAttendeeInfo": True, "showAvailabilityCount": True}
        output["seats"] = seats
    return output | _ownership(event_type, host=host)


def me_output() -> dict[str, Any]:
    """
    Write the owner of the key as ``GET /v2/me`` does.
    """
    owner = Host(id=1)
    return {
        "id": owner.id,
        "username": owner.username,
        "email": owner.email,
        "name": owner.name,
        "avatarUrl": None,
        "bio": None,
        "timeFormat": 24,
        "defaultScheduleId": None,
        "weekStart": "Monday",
        "timeZone": "UTC",
        "organizationId": None,
    }


def _recurrence(event_type: EventType) -> dict[str, Any] | None:
    if not event_type.recurrence:
        return None
    return {"interval": 1, "occurrences": event_type.recurrence, "frequency": "weekly"}


def _confirmation(event_type: EventType) -> dict[str, Any]:
    if event_type.confirmation:
        return {"type": "always", "blockUnconfirmedBookingsInBooker": False}
    return {"disabled": True}


def _ownership(event_type: EventType, *, host: Host) -> dict[str, Any]:
    if event_type.scheduling is Scheduling.SINGLE:
        users = [{"id": host.id, "name": host.name, "username": host.username, "avatarUrl": None}]
        return {"ownerId": event_type.owner, "users": users}
    kind = "roundRobin" if event_type.scheduling is Scheduling.ROUND_ROBIN else "collective"
    hosts = [
        {"userId": host, "name": Host(id=host).name, "username": Host(id=host).username} for host in event_type.hosts
    ]
    return {"teamId": 1, "ownerId": None, "hosts": hosts, "schedulingType": kind, "team": _team()}


def _team() -> dict[str, Any]:
    names = ("bannerUrl", "logoUrl", "weekStart", "brandColor", "darkBrandColor", "theme")
    return {"id": 1, "slug": "team", "name": "Team"} | dict.fromkeys(names, "")
