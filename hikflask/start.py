"""What must be true before a process serves pages or works; other commands run without it, so that they can repair."""

import logging

from flask import Flask
from sqlalchemy.exc import OperationalError, ProgrammingError

from hikflask.config import ConfigError
from hikflask.extensions import vault
from hikflask.services import first_run, operators, terminal_passwords

log = logging.getLogger(__name__)
MOST_NAMES = 3


def prepare(app: Flask) -> None:
    """Check that the keys open every stored terminal password.

    :raises hikflask.config.ConfigError: with a sentence that names the terminals and says what to restore.
    """
    with app.app_context():
        try:
            closed = terminal_passwords.unreadable()
        except (OperationalError, ProgrammingError) as error:
            # No tables yet, or no database: whoever needs them says so, and no password is there to be opened.
            log.warning("stored passwords were not checked: %s", error.orig)
            return
        if closed:
            raise ConfigError(f"The password key does not open what is stored for {_names(closed)}: {_cure()}.")


def announce_first_run(app: Flask) -> None:
    """Write the code that makes the first administrator into the log, as long as there is nobody."""
    with app.app_context():
        try:
            if operators.exist():
                return
        except (OperationalError, ProgrammingError):
            return  # no tables yet
        log.warning("Nobody can sign in yet: open /first-run and give the code %s", first_run.code())


def _names(terminals: list[str]) -> str:
    more = f" and {len(terminals) - MOST_NAMES} more" if len(terminals) > MOST_NAMES else ""
    return ", ".join(f"“{name}”" for name in terminals[:MOST_NAMES]) + more


def _cure() -> str:
    return f"{vault.keyring.cure}, or type the passwords again with `flask --app wsgi terminal add --replace`"
