"""Several terminals on the wire, each with a simulated device of its own."""

from flask import Flask

from hikflask.background import tasks
from hikflask.models import Terminal
from hikflask.services.terminals import checks, registry
from hikflask.services.terminals.registry import Access
from hikflask.simulator import SkippingClock
from hikflask.simulator import Terminal as Simulated
from hikflask.simulator.profiles import profile_named
from tests.conftest import PASSWORD
from tests.support.desk import Desk
from tests.support.wire import InProcess

# Takes pictures, and tells how many people it can hold.
BY_PICTURE = "K1T341CMFW"
# Takes only its own captures.
BY_URL = "K1T341AMF"


def device(model: str = BY_PICTURE, serial: str = "") -> Simulated:
    """A simulated device, whose waiting takes no time; devices of one model differ by the end of the serial."""
    made = Simulated(PASSWORD, clock=SkippingClock(), profile=profile_named(model), serial=serial)
    made.store.deletion_polls = 0
    return made


def add_terminal(wire: InProcess, host: str, name: str, simulated: Simulated, *, check: bool = True) -> Terminal:
    """Put a device at an address, and add and check the terminal there."""
    wire.put(host, simulated)
    added = registry.add(Access(name, f"http://{host}", "admin", PASSWORD))
    return checks.check(added.id, "test") if check else added


def in_context(app: Flask, wire: InProcess, host: str, name: str, simulated: Simulated) -> int:
    """Do so outside of a context, and return the terminal's id."""
    with app.app_context():
        return add_terminal(wire, host, name, simulated).id


def bring(app: Flask, desk: Desk) -> None:
    """Let the worker do whatever is due on any terminal."""
    with app.app_context():
        tasks.enqueue_turns()
    while desk.run_jobs():
        pass
