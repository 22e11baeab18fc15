"""The terminals in use: each is asked once, and what is wrong is said; and whether their logs are read in time."""

from collections.abc import Iterator

from flask import current_app
from sqlalchemy.exc import DBAPIError

from hikflask.config import as_text
from hikflask.diagnosis import Finding, good, wrong
from hikflask.encryption.vault import VaultError
from hikflask.extensions import vault
from hikflask.isapi.errors import AddressRefused, CertificateChanged, HttpsRequired, WeakDigest
from hikflask.models import Terminal
from hikflask.services.attention import terminal_problems as problems
from hikflask.services.core import no_space
from hikflask.services.passages import intake
from hikflask.services.terminals import allowed_addresses, lost_people, registry
from hikflask.services.terminals.checks import ask_status

HOLDER = "doctor"
SENTENCES = {
    problems.LOCKED: "has locked our account; nothing more is sent to it until it opens it again.",
    problems.LOGIN: "refused our password; nothing more is sent to it until another one is typed on its page.",
    problems.STOPPED: "is not spoken to, since its certificate, its address or its login is not what was agreed on.",
    problems.RESTORED: "was not compared since the restore: an administrator has to look and decide on its page.",
    problems.REPLACED: "is another device than before; an administrator has to restore the people on it.",
    problems.OFF: "does not answer: is it on, and in a network that this machine reaches?",
    problems.UNCHECKED: "was never checked completely: press “Check” on its page.",
    problems.LOST: "lost all its people: its page says how many are there again, and how many need a new photo.",
    problems.FULL: "is nearly full.",
    problems.CLOCK: "has another time or zone than this machine: its page sets it.",
}

# What stops a conversation, by its code in the terminal's row.
STOPPED_BY = {
    CertificateChanged.own_code: "is not spoken to, since it shows another certificate than was agreed on: an "
    "administrator has to confirm it on its page.",
    HttpsRequired.own_code: "is kept out by HIKFLASK_TERMINAL_REQUIRE, which asks for https: give it its https address "
    "on its page, or take https out of the setting.",
    WeakDigest.own_code: "is kept out by HIKFLASK_TERMINAL_REQUIRE, which asks for sha256, which it does not offer: "
    "bring its firmware up to date, or take sha256 out of the setting.",
}
OUTSIDE = (
    "is kept out by HIKFLASK_TERMINAL_NETWORKS ({}), which its address is not in: add its network there, and then "
    "`systemctl restart hikflask`."
)
UNKNOWN = "has a name that this machine cannot resolve: correct it, or put its IP address in its place, on its page."
NEVER = "has an address that no terminal may have, whatever HIKFLASK_TERMINAL_NETWORKS is: correct it on its page."


def check() -> Iterator[Finding]:
    """Check of each terminal in use whether it answers and accepts our account. Needs an app context."""
    try:
        terminals = registry.list_active()
        if not terminals:
            yield good("There are no terminals yet: `hikflask terminal add NAME URL USERNAME` adds one.")
        for terminal in terminals:
            yield _check(terminal)
    except DBAPIError as error:  # What a terminal answers is written, and a disk may be full.
        reason = no_space.explain(error) or " ".join(str(error.orig).split())
        yield wrong(f"The terminals were not all asked, since the database does not take what they answer: {reason}")


def _check(terminal: Terminal) -> Finding:
    place = f"Terminal “{terminal.name}” ({terminal.url})"
    try:
        busy = ask_status(terminal.id, HOLDER).busy
    except VaultError:
        return wrong(f"{place} was not asked, since no key here opens its password: {vault.keyring.cure}.")
    kind = problems.kind_of(terminal, lost_people.at(terminal.id))
    if kind == problems.OFF and not allowed_addresses.is_resolved(terminal.url):
        return wrong(f"{place} {UNKNOWN}")
    if kind == problems.STOPPED:
        return wrong(f"{place} {_stopped_by(terminal)}")
    if kind:
        return wrong(f"{place} {SENTENCES[kind]}")
    return good(f"{place} {'is talking to somebody' if busy else 'answers, and its login works'}.")


def _stopped_by(terminal: Terminal) -> str:
    if terminal.last_error_code != AddressRefused.own_code:
        return STOPPED_BY.get(terminal.last_error_code, SENTENCES[problems.STOPPED])
    if allowed_addresses.is_never_allowed(terminal.url):
        return NEVER
    return OUTSIDE.format(as_text(current_app.config["TERMINAL_NETWORKS"]))


MAX_UNREAD_HOURS = 30
SECONDS_PER_HOUR = 3600
MORE = "`journalctl -u hikflask -u hikflask-worker` says more."


def check_logs() -> Iterator[Finding]:
    """Check for how long the log of each terminal in use was not read. Needs an app context, and a usable database."""
    logs = intake.unread()
    late = [log for log in logs if log.seconds > MAX_UNREAD_HOURS * SECONDS_PER_HOUR]
    for log in late:
        why = f"The last attempt failed ({log.code}). " if log.code else ""
        yield wrong(
            f"The passages at terminal “{log.terminal.name}” have not been read for "
            f"{log.seconds // SECONDS_PER_HOUR:.0f} hours, and what its log has no room for is lost. {why}{MORE}"
        )
    if logs and not late:
        yield good(f"The passages at {len(logs)} terminals in use were read within {MAX_UNREAD_HOURS} hours.")
