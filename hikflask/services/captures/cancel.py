"""Cancels a capture, closes its window on the terminal if the terminal supports that, and discards its picture."""

from hikflask.isapi import capture as isapi_capture
from hikflask.isapi.errors import LoginRefused
from hikflask.models import Capture
from hikflask.models.capture import CANCELLED
from hikflask.services.captures import queries
from hikflask.services.core.db import end_read, transaction
from hikflask.services.state import capture as state
from hikflask.services.terminals import connection


def cancel_capture(capture_id: int) -> bool:
    """Cancel a running capture. Return False when it had already ended."""
    with transaction():
        return state.apply(state.CANCELLATION, Capture.id == capture_id) > 0


def discard_picture(capture_id: int) -> bool:
    """Supersede an unsaved picture, so that it does not hold its terminal any more; False when there was none."""
    with transaction():
        return state.apply(state.TAKEN_OVER, Capture.id == capture_id) > 0


def send_cancel(capture_id: int) -> None:
    """Tell the terminal to close the window of a cancelled capture.

    Nothing is sent when the terminal cannot cancel, or when the capture's lease has ended.

    :raises TerminalError: when the terminal refuses or does not answer.
    :raises LoginStopped: when the terminal refused our password before.
    :raises CaptureDeleted: when the capture is gone.
    """
    capture = queries.get_one(capture_id)
    terminal = connection.get_terminal(capture.terminal_id)
    if capture.state != CANCELLED or not terminal.can_cancel or terminal.lease_number != capture.lease_number:
        return
    connection.refuse_when_stopped(terminal)
    client = connection.new_client(terminal)
    end_read()
    try:
        isapi_capture.cancel(client)
    except LoginRefused as error:
        connection.record_refused_login(terminal, error)
        raise
    finally:
        client.close()
