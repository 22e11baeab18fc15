"""The words for webhooks: their events, and what came of a message."""

from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from markupsafe import Markup

from hikflask.labels.dates import time_ago, time_at
from hikflask.models import WebhookDelivery
from hikflask.text_rules import filled

EVENTS = {
    "enrolled": _l("Enrolled"),
    "refused": _l("Refused"),
    "removed": _l("Removed"),
    "passage": _l("Passage"),
    "alarm": _l("Alarm"),
    "test": _l("Test"),
}
PROBLEMS = {
    "address_refused": _l("the address is not allowed"),
    "certificate": _l("the certificate is not trusted"),
    "no_answer": _l("no answer"),
}


def outcome_label(delivery: WebhookDelivery) -> str:
    """Return what came of a message, and when the next try is."""
    if delivery.delivered_at:
        return filled(gettext("taken %(time)s"), {"time": time_ago(delivery.delivered_at)})
    if delivery.next_attempt_at is None:
        ended = str(gettext("given up"))
        return f"{_why(delivery)} · {ended}" if delivery.attempts else ended
    if not delivery.attempts:
        return str(gettext("not sent yet"))
    later = filled(gettext("next try %(time)s"), {"time": time_at(delivery.next_attempt_at)})
    return Markup(" · ").join((_why(delivery), later))


def _why(delivery: WebhookDelivery) -> str:
    if delivery.status is not None:
        return str(gettext("answered %(status)s", status=delivery.status))
    return str(PROBLEMS[delivery.problem])
