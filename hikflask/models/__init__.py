"""The tables."""

from hikflask.models.capture import Capture
from hikflask.models.employee import Employee
from hikflask.models.enrolment import Enrolment
from hikflask.models.heartbeat import Heartbeat
from hikflask.models.photo import Photo
from hikflask.models.terminal import Terminal

__all__ = ["Capture", "Employee", "Enrolment", "Heartbeat", "Photo", "Terminal"]
