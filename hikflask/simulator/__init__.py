"""A simulated face terminal, on a socket (`python -m hikflask.simulator`) or in one process with a test.

`terminal/` is its state, `http/` what every request goes through, `isapi/` the functions that it answers, `screen/` its
page in a browser. Nothing of the app is imported here.
"""

from hikflask.simulator.http.middleware import AnswerLost
from hikflask.simulator.profiles import SEED, Profile
from hikflask.simulator.server import SimulatorServer, create_simulator
from hikflask.simulator.terminal.clocks import SkippingClock
from hikflask.simulator.terminal.terminal import Terminal

__all__ = [
    "SEED",
    "AnswerLost",
    "Profile",
    "SimulatorServer",
    "SkippingClock",
    "Terminal",
    "create_simulator",
]
