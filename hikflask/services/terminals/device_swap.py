"""Another device answers at a terminal's address: nothing that the old one confirmed is true of it."""

from hikflask.models import Enrolment, Terminal
from hikflask.services import audit
from hikflask.services.state import enrolment as state


def is_other_device(terminal: Terminal, serial: str) -> bool:
    """True for another serial number than the one told before, and where one is suddenly told, or not any more."""
    return terminal.checked_at is not None and terminal.serial != serial


def distrust(terminal: Terminal, serial: str) -> None:
    """Take nothing that the old device confirmed for true of the new one, within the caller's transaction.

    Who was written to it may still open doors by it, now or when it is put back: whoever leaves stays in sight until
    a person says that the number is gone there, too.
    """
    here = Enrolment.terminal_id == terminal.id
    state.apply(state.LEFT_ON_OLD_DEVICE, here)
    state.apply(state.LEAVING_OLD_DEVICE, here)
    state.apply(state.DESIRED_ON_NEW_DEVICE, here)
    old, new = {"serial": terminal.serial}, {"serial": serial}
    audit.note("terminal.other_device", terminal=terminal.name, before=old, after=new)
