"""Mails about alarms: in Russian and in English, with IDs and without names or faces."""

import logging
import smtplib
import ssl
from email.header import Header
from email.mime.text import MIMEText

from flask import current_app
from flask_babel import force_locale

from hikflask.labels import alarms
from hikflask.models import Alarm
from hikflask.models.alarm import REMOVALS
from hikflask.services.alarms import conditions, watch
from hikflask.services.core.db import end_read

log = logging.getLogger(__name__)
LANGUAGES = ("ru", "en")
SECONDS = 15.0
STARTTLS, TLS = "starttls", "tls"


def send_due() -> None:
    """Send the mails that are due. The first that no server takes ends it; the sweep tries again, later each time."""
    while key := watch.claim():
        if not _is_sent(key):
            return


def letter(alarm: Alarm) -> MIMEText:
    """Return the mail about the beginning of an alarm, or about its end once the beginning was told."""
    config = current_app.config
    numbers = conditions.numbers(alarm.terminal_id or 0) if alarm.kind == REMOVALS else []
    named = [*numbers[: conditions.MAX_NAMED], *(["…"] if len(numbers) > conditions.MAX_NAMED else [])]
    subjects, bodies = [], []
    for language in LANGUAGES:
        with force_locale(language):
            subjects.append(alarms.mail_subject(alarm))
            bodies.append(alarms.mail_body(alarm, named))
    written = MIMEText("\n\n".join(bodies) + "\n", _charset="utf-8")
    written["From"], written["To"] = config["MAIL_FROM"][0], ", ".join(config["MAIL_TO"])
    # All of it encoded: EmailMessage would decode what looks encoded in a name, and its line breaks would be headers.
    written["Subject"] = Header(f"hikflask: {' / '.join(subjects)}", "utf-8")  # type: ignore[assignment]
    written["Auto-Submitted"] = "auto-generated"
    return written


def send(written: MIMEText) -> None:
    """Give a mail to the server.

    :raises OSError: when the server is away, does not let us in, or does not take it.
    """
    end_read()
    config = current_app.config
    where = (config["MAIL_SERVER"], config["MAIL_PORT"])
    trusted = ssl.create_default_context()
    if config["MAIL_TLS"] == TLS:
        server: smtplib.SMTP = smtplib.SMTP_SSL(*where, timeout=SECONDS, context=trusted)
    else:
        server = smtplib.SMTP(*where, timeout=SECONDS)
    with server:
        if config["MAIL_TLS"] == STARTTLS:
            server.starttls(context=trusted)
        if config["MAIL_USER"]:
            server.login(config["MAIL_USER"], config["MAIL_PASSWORD"])
        refused = server.send_message(written)
    if refused:
        log.warning("%s of those who are to get the mail were refused", len(refused))


def _is_sent(key: str) -> bool:
    """Send the mail about an alarm; True also when there is none any more."""
    alarm = watch.get(key)
    if alarm is None:
        return True
    over = alarm.announces_end
    written = letter(alarm)
    try:
        send(written)
    except OSError as error:
        log.warning("the mail about %s was not sent (%s)", key, type(error).__name__)
        watch.not_told(key)
        return False
    log.info("the mail about %s was sent", key)
    watch.told(key, over=over)
    return True
