"""What waits for a terminal becomes due when it is well again, or when the way to it is another one."""

from hikflask.extensions import db
from hikflask.isapi.errors import STOP_CODES
from hikflask.models import Enrolment
from hikflask.models.enrolment import REFUSED
from hikflask.services.state import enrolment as state


def retry_all(terminal_id: int) -> None:
    """Try everything that is open on a terminal again now, as after a corrected password or address."""
    here = Enrolment.terminal_id == terminal_id
    state.apply(state.MADE_DUE, here)
    state.apply(state.FACE_MADE_DUE, here, Enrolment.person != REFUSED)
    db.session.commit()


def resume(terminal_id: int) -> None:
    """Make due, within the caller's transaction, what waits for a terminal that is well again, or was stopped there."""
    here = Enrolment.terminal_id == terminal_id
    state.apply(state.MADE_DUE, here)
    state.apply(state.FACE_MADE_DUE, here, Enrolment.refusal_code.in_(STOP_CODES))
