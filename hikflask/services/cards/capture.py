"""Reads the number of a card that somebody holds to a terminal."""

from flask import current_app

from hikflask.isapi import card_capture
from hikflask.isapi.errors import CardTimeout, NoAnswer, NotSupported
from hikflask.services.core.errors import ServiceError
from hikflask.services.terminals import connection, leases


def capture_card(terminal_id: int, holder: str) -> str:
    """Wait until somebody holds a card to the terminal, for CAPTURE_TIMEOUT at most, and return its number.

    Whose it is, and whether it is anybody's, is not asked here.

    :raises CardTimeout: when nobody came. :raises TerminalInUse: when somebody else talks to the terminal.
    :raises cards_not_read_here: when the terminal reads no cards for programs. :raises terminal_unknown: when it is not
        in use. :raises TerminalError: :raises ServiceError: as a check does.
    """
    seconds: float = current_app.config["CAPTURE_TIMEOUT"]
    with connection.converse(terminal_id, holder, leases.CAPTURE, seconds=seconds, wait=0.0, urgent=True) as terminal:
        if not terminal.terminal.is_active:
            raise ServiceError("terminal_unknown")
        try:
            return card_capture.capture(terminal, seconds)
        except NotSupported:
            raise ServiceError("cards_not_read_here") from None
        except NoAnswer as error:  # Some firmware says nothing while nobody comes.
            raise CardTimeout(path=error.path) from None
