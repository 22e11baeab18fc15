"""Mails about alarms: in Russian and in English, with IDs and without names or faces."""

import logging
from collections.abc import Sequence
from email.mime.text import MIMEText

from hikflask.labels import alarms
from hikflask.models import Alarm
from hikflask.models.alarm import REMOVALS
from hikflask.services.alarms import conditions, mail_server, watch

log = logging.getLogger(__name__)


def send_due() -> None:
    """Send the mails that are due. The first that no server takes ends it; the sweep tries again, later each time."""
    while key := watch.claim():
        alarm = watch.get(key)
        if alarm is None:  # It is over, and no mail was due.
            continue
        same = [alarm, *filter(None, map(watch.get, watch.claim_same(alarm)))]
        claimed = [(each.key, each.next_try_at) for each in same]
        over = alarm.announces_end
        message = letter(same)
        try:
            refused = mail_server.send(message)
        except OSError as error:
            log.warning("the mail about %s was not sent (%s)", key, type(error).__name__)
            watch.mark_unsent(*(each for each, _claimed_to in claimed))
            return
        if refused:
            log.warning("%s receivers of the mail were refused", len(refused))
        log.info("the mail about %s was sent", key)
        for each, claimed_to in claimed:
            watch.mark_sent(each, claimed_to, over=over)


def letter(same: Sequence[Alarm]) -> MIMEText:
    """Return the mail about the beginning of an alarm, or about its end once the beginning was mailed.

    :param same: the same of one or several terminals.
    """
    named = [_named(alarm) for alarm in same]
    return mail_server.compose(
        *alarms.in_each_language(lambda: (alarms.mail_subject(same), alarms.mail_body(same, named)))
    )


def _named(alarm: Alarm) -> list[str]:
    numbers = conditions.overdue_numbers(alarm.terminal_id or 0) if alarm.kind == REMOVALS else []
    return [*numbers[: conditions.MAX_NAMED], *(["…"] if len(numbers) > conditions.MAX_NAMED else [])]
