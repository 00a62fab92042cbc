"""The phrases in German."""

from collections.abc import Mapping
from typing import Final

from adapters.phrases.keys import Phrase

_TAKEN: Final = "Die Zeit ist schon vergeben."
_MISFIT: Final = "Die Leistung ist im Kalender nicht richtig eingerichtet; das muss der Betreiber in Ordnung bringen."
_DATABASE: Final = "Der Termin konnte nicht gespeichert werden, und es bleibt nichts gebucht."

PHRASES: Final[Mapping[Phrase, str]] = {
    Phrase.STALE: "Freie Zeiten aus dem Zwischenspeicher (möglicherweise veraltet)",
    Phrase.QUEUED: "Anfrage vorgemerkt, wird automatisch erneut versucht",
    Phrase.MANUAL_REVIEW: "Dringend - muss von Hand bearbeitet werden",
    Phrase.REFUSED: "Es gibt gerade eine Störung. Wir arbeiten daran, sie zu beheben.",
    Phrase.MAY_GO_ON: "Ihre Anfrage ist vielleicht trotzdem angekommen; bitte fragen Sie gleich noch einmal nach.",
    Phrase.PENDING: ("Ihre Buchung ist aufgenommen. Ich bestätige die Zeit noch und erledige das automatisch."),
    Phrase.DEFERRED: (
        "Der Kalender ist gerade nicht erreichbar. Ihre Anfrage ist vorgemerkt und wird automatisch erneut versucht."
    ),
    Phrase.CANCEL_DEFERRED: (
        "Der Kalender ist gerade nicht erreichbar. Ihre Absage ist aufgenommen und wird automatisch abgeschlossen."
    ),
    Phrase.MOVE_DEFERRED: (
        "Der Kalender ist gerade nicht erreichbar. Ihr Wunsch ist vorgemerkt, der Termin wird automatisch verschoben."
    ),
    Phrase.COMPENSATING: "Diese Zeit ließ sich nicht halten. Ich sorge dafür, dass nichts gebucht bleibt.",
    Phrase.CANCELLING: "Ihre Absage ist aufgenommen und wird automatisch abgeschlossen.",
    Phrase.RESCHEDULING: "Ihr Termin wird verschoben. Ich erledige das automatisch.",
    Phrase.NEEDS_REVIEW: (
        "Ihre Anfrage ist aufgenommen. Jemand aus unserem Team muss sie ansehen und wird sie abschließen."
    ),
    Phrase.NEAR_DUPLICATE: "Sie haben diese Leistung schon zu fast derselben Zeit gebucht.",
    Phrase.BOOKING_CANCELLED: "Diese Buchung wurde abgesagt.",
    Phrase.STAYS: "Der Termin bleibt, wo er ist.",
    Phrase.ALREADY_OVER: "Dieser Termin ist vorbei und lässt sich nicht mehr ändern.",
    Phrase.MADE_ELSEWHERE: "Dieser Termin wurde direkt im Kalender gebucht und muss dort geändert werden.",
    Phrase.NOT_BOOKED: "Dieser Termin ist gerade nicht gebucht.",
    Phrase.CANNOT_BE_MOVED: (
        "Mehrere zusammen gebuchte Leistungen lassen sich nicht verschieben. Bitte sagen Sie ab und buchen Sie neu."
    ),
    Phrase.NOTHING_TO_DECIDE: "Dazu gibt es nichts mehr zu entscheiden.",
    Phrase.OTHERWISE: "Die Buchung war nicht möglich.",
}
REASONS: Final[Mapping[str, str]] = {
    "slot_taken": _TAKEN,
    "near_duplicate": "Die Leistung ist für diesen Kunden schon zu fast derselben Zeit gebucht.",
    "duplicate": "Der Kalender hält diese Buchung schon für eine andere Anfrage.",
    "out_of_bounds": "Zu dieser Zeit kann nicht gebucht werden, sie liegt zu nah oder zu weit in der Zukunft.",
    "in_the_past": "Die Zeit ist schon vorbei.",
    "booker_limit": "Der Kunde hat so viele Buchungen, wie der Kalender erlaubt.",
    "missing_field": "Der Kalender verlangt eine Angabe, die in der Anfrage fehlt.",
    "invalid_request": "Der Kalender hat die Anfrage nicht angenommen.",
    "length_not_offered": _MISFIT,
    "event_type_not_bookable": _MISFIT,
    "event_type_not_found": _MISFIT,
    "no_hosts": _MISFIT,
    "authentication_required": _MISFIT,
    "needs_confirmation": _MISFIT,
    "expired": "Die Buchung ließ sich nicht rechtzeitig vornehmen.",
    "calcom_unavailable": "Der Kalender war nicht rechtzeitig erreichbar.",
    "cancelled_at_calcom": "Die Buchung wurde im Kalender abgesagt.",
    "staff_overlap": _TAKEN,
    "duplicate_key": _DATABASE,
    "duplicate_calcom_uid": _DATABASE,
    "duplicate_appointment": _DATABASE,
    "unknown_service": _DATABASE,
    "compensation_failed": "Der Kalender hat die Buchung nicht abgesagt; das muss jemand von Hand tun.",
    "cancelling_disabled": "Der Kalender erlaubt keine Absage dieser Buchung; das muss jemand von Hand tun.",
    "already_ended": "Der Termin ist vorbei und kann nicht mehr abgesagt werden; darüber muss jemand entscheiden.",
    "foreign_booking": "Die Buchung im Kalender ist nicht die hier vorgenommene; das muss sich jemand ansehen.",
    "time_drift": "Im Kalender steht der Termin zu einer Zeit, die schon vergeben ist; das muss sich jemand ansehen.",
    "leg_cancelled": "Eine der Leistungen wurde abgesagt, bevor alle gebucht waren.",
    "cannot_look": "Der Kalender zeigt nicht, ob gebucht wurde; das muss sich jemand ansehen.",
}
