"""Another device answers at a terminal's address. What the old device confirmed does not hold for it."""

from hikflask.models import Enrolment, Terminal
from hikflask.services import audit
from hikflask.services.state import enrolment as state


def is_other_device(terminal: Terminal, serial: str) -> bool:
    """True when the serial number differs from the one told before, also when it appears or disappears."""
    return terminal.checked_at is not None and terminal.serial != serial


def distrust(terminal: Terminal, serial: str) -> None:
    """Mark everything as unconfirmed on the new device, within the caller's transaction.

    People who were written to the old device may still open doors with it, now or when it is put back. So a removal
    stays open until a person says that the number is gone from the old device, too.
    """
    here = Enrolment.terminal_id == terminal.id
    state.apply(state.LEFT_ON_OLD_DEVICE, here)
    state.apply(state.LEAVING_OLD_DEVICE, here)
    state.apply(state.DESIRED_ON_NEW_DEVICE, here)
    old, new = {"serial": terminal.serial}, {"serial": serial}
    audit.note("terminal.other_device", terminal=terminal.name, before=old, after=new)
