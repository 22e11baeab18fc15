"""Mails about alarms: in Russian and in English, with IDs and without names or faces."""

import logging
import smtplib
import ssl
from datetime import datetime
from email.header import Header
from email.mime.text import MIMEText

from babel.dates import format_datetime
from flask import current_app
from flask_babel import force_locale
from flask_babel import gettext as _

from hikflask import messages
from hikflask.models import Alarm
from hikflask.models.alarm import BACKUP, REMOVALS
from hikflask.services.alarms import conditions, watch
from hikflask.services.core.dates import local
from hikflask.services.core.db import end_read

log = logging.getLogger(__name__)
LANGUAGES = ("ru", "en")
SECONDS = 15.0
STARTTLS, TLS = "starttls", "tls"
OVER, NOT_IN_USE = "alarm_%s_over", "alarm_terminal_not_in_use"


def send_due() -> None:
    """Send the mails that are due. The first that no server takes ends it; the sweep tries again, later each time."""
    while key := watch.claim():
        if not _is_sent(key):
            return


def letter(alarm: Alarm) -> MIMEText:
    """Return the mail about the beginning of an alarm, or about its end once the beginning was told."""
    config = current_app.config
    code, about = _code(alarm), _about(alarm)
    said = [_in(language, code, alarm, about) for language in LANGUAGES]
    written = MIMEText("\n\n".join(body for _subject, body in said) + "\n", _charset="utf-8")
    written["From"], written["To"] = config["MAIL_FROM"][0], ", ".join(config["MAIL_TO"])
    # All of it encoded: EmailMessage would decode what looks encoded in a name, and its line breaks would be headers.
    subjects = " / ".join(subject for subject, _body in said)
    written["Subject"] = Header(f"hikflask: {subjects}", "utf-8")  # type: ignore[assignment]
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
    over = is_about_the_end(alarm)
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


def is_about_the_end(alarm: Alarm) -> bool:
    """True when the mail that is due says that the alarm is over."""
    return alarm.told_at is not None


def _code(alarm: Alarm) -> str:
    if not is_about_the_end(alarm):
        return f"alarm_{alarm.kind}"
    terminal = alarm.terminal
    in_use = terminal is None or (terminal.is_active and terminal.retired_at is None)
    return OVER % alarm.kind if in_use else NOT_IN_USE


def _about(alarm: Alarm) -> dict[str, object]:
    config = current_app.config
    about: dict[str, object] = {"t": alarm.terminal.name if alarm.terminal else ""}
    if alarm.kind == REMOVALS:
        numbers = conditions.numbers(alarm.terminal_id or 0)
        more = ["…"] if len(numbers) > conditions.MOST_NAMED else []
        return {**about, "n": config["MAIL_REMOVAL_HOURS"], "who": ", ".join(numbers[: conditions.MOST_NAMED] + more)}
    return {**about, "n": config["BACKUP_MAX_AGE" if alarm.kind == BACKUP else "MAIL_SILENT_HOURS"]}


def _in(language: str, code: str, alarm: Alarm, about: dict[str, object]) -> tuple[str, str]:
    """Return the subject and the text in one language."""
    with force_locale(language):
        subject = messages.sentence(code, t=about["t"])
        lines = [messages.sentence(code, **about), _("Since: %(time)s", time=_moment(alarm.began_at, language))]
        if alarm.over_at is not None and is_about_the_end(alarm):
            lines.append(_("Over: %(time)s", time=_moment(alarm.over_at, language)))
        else:
            lines.append(_("What to do is on the page “Needs attention”."))
    return subject, "\n".join(lines)


def _moment(moment: datetime, language: str) -> str:
    return str(format_datetime(local(moment), "d MMM y, HH:mm:ss", locale=language))
