"""Reads the whole list of a terminal page by page, in many short conversations.

Each page is kept at once, so a killed worker or a terminal that does not answer loses nothing. Between two
conversations the list may change: each page but the first begins with the last person of the page before. When that
person is not there, or the total has changed, the list is read again from its beginning.
"""

from hikflask.models.comparison import Comparison

COMPARE = "compare"
# A capture gets the terminal between two slices.
SLICE_SECONDS = 0.5
MOST_RESTARTS = 5


def start(terminal_id: int, by: str) -> Comparison:
    """Begin a comparison of a terminal, or return the one that is being read. Nothing is asked yet.

    :param by: who wants it: the operator, or NIGHTLY.
    :raises TerminalUnknown: when there is no such terminal. :raises TerminalRetired: when it is out of service.
    """
    raise NotImplementedError


def read_slice(comparison_id: int, holder: str, seconds: float = SLICE_SECONDS, wait: float = 0.0) -> bool:
    """Read on in one conversation of about so many seconds. True: more is left; False: the comparison is done.

    :param wait: how long to wait for the present holder of the terminal, in seconds.
    :raises TerminalError: when the terminal refuses or does not answer; it is read on later from where it was.
    :raises TerminalInUse: :raises LoginStopped: likewise.
    :raises ComparisonFailed: when the list cannot be read for certain; the comparison has failed, nothing is concluded.
    :raises ComparisonUnknown: when there is no such comparison.
    """
    raise NotImplementedError


def read_to_end(terminal_id: int, holder: str, seconds: float) -> Comparison:
    """Compare a terminal now, in the caller's thread, within so many seconds; return the finished comparison.

    :raises NoAnswer: when the time is over; what was read stays, and the next call goes on.
    :raises TerminalError: :raises ServiceError: as read_slice() and start().
    """
    raise NotImplementedError
