"""Mails about alarms: in Russian and in English, with IDs and without names or faces."""

import logging
from email.header import Header
from email.mime.text import MIMEText

from flask import current_app
from flask_babel import force_locale

from hikflask.labels import alarms
from hikflask.models import Alarm
from hikflask.models.alarm import REMOVALS
from hikflask.services.alarms import conditions, mail_server, watch

log = logging.getLogger(__name__)
LANGUAGES = ("ru", "en")


def send_due() -> None:
    """Send the mails that are due. The first that no server takes ends it; the sweep tries again, later each time."""
    while key := watch.claim():
        alarm = watch.get(key)
        if alarm is None:  # It is over, and no mail was due.
            continue
        over, claimed_to = alarm.announces_end, alarm.next_try_at
        message = letter(alarm)
        try:
            send(message)
        except OSError as error:
            log.warning("the mail about %s was not sent (%s)", key, type(error).__name__)
            watch.mark_unsent(key)
            return
        log.info("the mail about %s was sent", key)
        watch.mark_sent(key, claimed_to, over=over)


def letter(alarm: Alarm) -> MIMEText:
    """Return the mail about the beginning of an alarm, or about its end once the beginning was mailed."""
    config = current_app.config
    numbers = conditions.overdue_numbers(alarm.terminal_id or 0) if alarm.kind == REMOVALS else []
    named = [*numbers[: conditions.MAX_NAMED], *(["…"] if len(numbers) > conditions.MAX_NAMED else [])]
    subjects, bodies = [], []
    for language in LANGUAGES:
        with force_locale(language):
            subjects.append(alarms.mail_subject(alarm))
            bodies.append(alarms.mail_body(alarm, named))
    message = MIMEText("\n\n".join(bodies) + "\n", _charset="utf-8")
    message["From"], message["To"] = config["MAIL_FROM"][0], ", ".join(config["MAIL_TO"])
    # All of it encoded: EmailMessage would decode what looks encoded in a name, and its line breaks would be headers.
    message["Subject"] = Header(f"hikflask: {' / '.join(subjects)}", "utf-8")  # type: ignore[assignment]
    message["Auto-Submitted"] = "auto-generated"
    return message


def send(message: MIMEText) -> None:
    """Give a mail to the server.

    :raises OSError: when the server is away, or refuses our account or the mail.
    """
    with mail_server.signed_in() as server:
        refused = server.send_message(message)
    if refused:
        log.warning("%s receivers of the mail were refused", len(refused))
