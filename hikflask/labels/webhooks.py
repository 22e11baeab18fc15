"""The words for webhooks: their events, and what came of a message."""

from flask_babel import gettext

from hikflask.labels.dates import time_at
from hikflask.messages import N_
from hikflask.models import WebhookDelivery

EVENTS = {
    "enrolled": N_("Enrolled"),
    "refused": N_("Refused"),
    "removed": N_("Removed"),
    "test": N_("Test"),
}
PROBLEMS = {
    "address_refused": N_("the address is not allowed"),
    "certificate": N_("the certificate is not trusted"),
    "no_answer": N_("no answer"),
}


def event_label(name: str) -> str:
    """Return the word for an event."""
    return str(gettext(EVENTS[name]))


def outcome_label(delivery: WebhookDelivery) -> str:
    """Return what came of a message, and when the next try is."""
    if delivery.delivered_at:
        return str(gettext("taken %(time)s", time=time_at(delivery.delivered_at)))
    if delivery.next_attempt_at is None:
        ended = str(gettext("given up"))
        return f"{_why(delivery)} · {ended}" if delivery.attempts else ended
    if not delivery.attempts:
        return str(gettext("not sent yet"))
    later = gettext("next try %(time)s", time=time_at(delivery.next_attempt_at))
    return f"{_why(delivery)} · {later}"


def _why(delivery: WebhookDelivery) -> str:
    if delivery.status is not None:
        return str(gettext("answered %(status)s", status=delivery.status))
    return str(gettext(PROBLEMS[delivery.problem]))
