"""The words of the mails about alarms."""

import socket
from collections.abc import Callable, Sequence

from flask import current_app
from flask_babel import force_locale
from flask_babel import gettext as _

from hikflask import messages
from hikflask.labels import disks
from hikflask.labels.dates import full_time
from hikflask.labels.events import code_sentence
from hikflask.models import Alarm
from hikflask.models.alarm import BACKUP, DURESS, JOURNAL, REMOVALS
from hikflask.services.core import no_space

LANGUAGES = ("ru", "en")


def in_each_language(words: Callable[[], tuple[str, str]]) -> tuple[str, str]:
    """Return subject and text of a mail that has both in Russian and in English."""
    mails = []
    for language in LANGUAGES:
        with force_locale(language):
            mails.append(words())
    subjects, texts = zip(*mails, strict=True)
    return " / ".join(subjects), "\n\n".join(texts) + "\n"


def test_mail() -> tuple[str, str]:
    """Return subject and text of the mail that shows whether mails about alarms arrive."""
    host = socket.gethostname()
    return str(_("test mail")), str(
        _("Mails about alarms of hikflask on %(host)s arrive here. Nothing is wrong.", host=host)
    )


def mail_subject(same: Sequence[Alarm]) -> str:
    """Return the subject of the mail that is due about the same alarm of one or several terminals."""
    first = messages.sentence(_code(same[0]), t=_terminal(same[0]), what=_what(same[0]))
    return str(_("%(first)s (and more terminals: %(n)s)", first=first, n=len(same) - 1)) if len(same) > 1 else first


def mail_body(same: Sequence[Alarm], numbers: Sequence[Sequence[str]]) -> str:
    """Return the text of the mail that is due about the same alarm of one or several terminals.

    :param numbers: for each the IDs that may still open doors, where the alarm is about removals.
    """
    lines = [line for alarm, who in zip(same, numbers, strict=True) for line in _about(alarm, who)]
    if not same[0].announces_end:
        lines.append(str(_("What to do is on the page “Needs attention”.")))
    return "\n".join(lines)


def _about(alarm: Alarm, numbers: Sequence[str]) -> list[str]:
    """Return the sentence about an alarm, and when it began and ended."""
    hours = {BACKUP: "BACKUP_MAX_AGE", REMOVALS: "MAIL_REMOVAL_HOURS"}.get(alarm.kind, "MAIL_SILENT_HOURS")
    low = " ".join(disks.free_label(disk) for disk in no_space.disks() if disk.is_low)
    about = {
        "t": _terminal(alarm),
        "n": current_app.config[hours],
        "who": ", ".join(numbers),
        "disks": low,
        "host": socket.gethostname(),
        "what": _what(alarm),
    }
    lines = [messages.sentence(_code(alarm), **about), str(_("Since: %(time)s", time=full_time(alarm.began_at)))]
    if alarm.over_at is not None and alarm.announces_end:
        lines.append(str(_("Over: %(time)s", time=full_time(alarm.over_at))))
    return lines


def _code(alarm: Alarm) -> str:
    if alarm.kind == JOURNAL and _journal_code(alarm) == DURESS:
        return "alarm_duress"
    if not alarm.announces_end:
        return f"alarm_{alarm.kind}"
    terminal = alarm.terminal
    return f"alarm_{alarm.kind}_over" if terminal is None or terminal.is_active else "alarm_terminal_not_in_use"


def _journal_code(alarm: Alarm) -> tuple[int, int]:
    """Return the terminal's code of an alarm of its journal; it ends the alarm's key."""
    major, _slash, minor = alarm.key.rpartition(":")[2].partition("/")
    return int(major), int(minor)


def _what(alarm: Alarm) -> str:
    return code_sentence(*_journal_code(alarm)) if alarm.kind == JOURNAL else ""


def _terminal(alarm: Alarm) -> str:
    return alarm.terminal.name if alarm.terminal else ""
