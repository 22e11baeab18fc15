"""A terminal made of memory: `python -m hikflask.simulator`, or in one process. It knows nothing of the app."""

from hikflask.simulator.clock import SkippingClock, SystemClock
from hikflask.simulator.conversation import AnswerLost
from hikflask.simulator.profiles import SEED, Profile
from hikflask.simulator.routes import create_simulator
from hikflask.simulator.server import SimulatorServer
from hikflask.simulator.state import Terminal

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
