"""Another device answers at a terminal's address. What the old device confirmed does not hold for it."""

from typing import Any

from hikflask.models import Enrolment, Terminal
from hikflask.models.columns import database_now
from hikflask.services import audit
from hikflask.services.state import enrolment as state


def is_other_device(terminal: Terminal, serial: str) -> bool:
    """True when the serial number differs from the one told before, also when it appears or disappears."""
    return terminal.checked_at is not None and terminal.serial != serial


def distrust(terminal: Terminal, serial: str) -> dict[str, Any]:
    """Mark everything as unconfirmed on the new device, within the caller's transaction; return what the row gets.

    The device may be a new one in the place of the old one, or one that belongs to another door. So nobody is sent to
    it before an administrator says so, save one by one. When the old device comes back meanwhile, everybody is verified
    again by itself.

    People who were written to the old device may still open doors with it, now or when it is put back. So a removal
    stays open until a person says that the number is gone from the old device, too.
    """
    here = Enrolment.terminal_id == terminal.id
    state.apply(state.LEFT_ON_OLD_DEVICE, here)
    state.apply(state.LEAVING_OLD_DEVICE, here)
    awaited = state.apply(state.AWAITED_ON_NEW_DEVICE, here) > 0
    # A serial number that is not told is nobody's.
    returned = terminal.awaits_restore and serial != "" and serial == terminal.earlier_serial
    if returned:
        state.apply(state.RESTORED, here)
    old, new = {"serial": terminal.serial}, {"serial": serial}
    audit.record("terminal.other_device", terminal=terminal.name, before=old, after=new)
    return {
        "earlier_serial": terminal.serial,
        "device_changed_at": database_now(),
        "awaits_restore": awaited and not returned,
    }
