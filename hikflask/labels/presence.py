"""What “Who is inside” does not tell, in sentences."""

from flask_babel import gettext as _
from flask_babel import ngettext

from hikflask.labels.dates import time_since
from hikflask.models.terminal import WAY_IN, WAY_OUT
from hikflask.services.passages.presence import Presence, Unread
from hikflask.text_rules import N_, filled, isolated

LATE = N_("The passages of “%(t)s” are known until %(read)s.")
NEVER_READ = N_("The passages of “%(t)s” were not read completely yet.")
OFF = N_("“%(t)s” has not answered since %(since)s, and its passages are known until %(read)s.")
OFF_NEVER_READ = N_("“%(t)s” has not answered since %(since)s, and its passages were not read completely yet.")
GAP = N_("Passages of “%(t)s” from %(begin)s until %(end)s may be missing.")
BLIND = N_("Terminals do not see who walks in or out behind somebody else.")


def doubts(presence: Presence) -> list[str]:
    """Return why the list may be wrong, beyond what terminals can never tell."""
    sentences = []
    if WAY_IN not in presence.has:
        sentences.append(str(_("No terminal is marked as an entrance, so nobody is ever inside.")))
    elif WAY_OUT not in presence.has:
        sentences.append(str(_("No terminal is marked as an exit, so people stay in this list for 24 hours.")))
    sentences += [unread_sentence(unread) for unread in presence.unread]
    if presence.out_without_in:
        sentences.append(
            ngettext(
                "%(num)s person went out today, and no entry is recorded.",
                "%(num)s people went out today, and no entry is recorded.",
                presence.out_without_in,
            )
        )
    return sentences


def unread_sentence(unread: Unread) -> str:
    """Return which passages of a terminal may be missing."""
    about: dict[str, object] = {"t": isolated(unread.terminal.name)}
    if unread.gap:
        begin, end = unread.gap
        return filled(_(GAP), about | {"begin": time_since(begin), "end": time_since(end)})
    if unread.read_to:
        about["read"] = time_since(unread.read_to)
    if unread.off_since is None:
        return filled(_(LATE if unread.read_to else NEVER_READ), about)
    about["since"] = time_since(unread.off_since)
    return filled(_(OFF if unread.read_to else OFF_NEVER_READ), about)


def blind() -> str:
    """Return what terminals never tell."""
    return str(_(BLIND))
