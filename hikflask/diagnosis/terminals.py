"""The terminals in use: each is asked once, and what is wrong with it is said."""

from collections.abc import Iterator

from sqlalchemy.exc import DBAPIError

from hikflask.diagnosis import Finding, good, wrong
from hikflask.encryption.vault import VaultError
from hikflask.extensions import vault
from hikflask.models import Terminal
from hikflask.services.attention import terminal_problems as problems
from hikflask.services.terminals import registry
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
    problems.FULL: "is nearly full.",
    problems.CLOCK: "has another time or zone than this machine: its page sets it.",
}


def check() -> Iterator[Finding]:
    """Check of each terminal in use whether it answers and accepts our account. Needs an app context."""
    try:
        terminals = registry.list_active()
        if not terminals:
            yield good("There are no terminals yet: `hikflask terminal add NAME URL USERNAME` adds one.")
        for terminal in terminals:
            yield _check(terminal)
    except DBAPIError as error:  # What a terminal answers is written, and a disk may be full.
        reason = " ".join(str(error.orig).split())
        yield wrong(f"The terminals were not all asked, since the database does not take what they answer: {reason}")


def _check(terminal: Terminal) -> Finding:
    place = f"Terminal “{terminal.name}” ({terminal.url})"
    try:
        busy = ask_status(terminal.id, HOLDER).busy
    except VaultError:
        return wrong(f"{place} was not asked, since no key here opens its password: {vault.keyring.cure}.")
    kind = problems.kind_of(terminal)
    if kind:
        return wrong(f"{place} {SENTENCES[kind]}")
    return good(f"{place} {'is talking to somebody' if busy else 'answers, and its login works'}.")
