"""A terminal made of memory: `python -m hikflask.simulator`, or in one process. It knows nothing of the app."""

from hikflask.simulator.app import create_simulator
from hikflask.simulator.http.middleware import AnswerLost
from hikflask.simulator.profiles import SEED, Profile
from hikflask.simulator.server import SimulatorServer
from hikflask.simulator.terminal.clock import SkippingClock, SystemClock
from hikflask.simulator.terminal.terminal import Terminal

__all__ = [
    "SEED",
    "AnswerLost",
    "Profile",
    "SimulatorServer",
    "SkippingClock",
    "SystemClock",
    "Terminal",
    "create_simulator",
]
