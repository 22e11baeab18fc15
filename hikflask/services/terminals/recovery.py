"""Makes waiting enrolments due when their terminal works again, or its address or login was changed."""

from hikflask.extensions import db
from hikflask.isapi.errors import STOP_CODES
from hikflask.models import Enrolment
from hikflask.models.enrolment import REFUSED
from hikflask.services.state import enrolment as state


def retry_all(terminal_id: int) -> None:
    """Make every open enrolment of a terminal due now, after its password or address was corrected."""
    here = Enrolment.terminal_id == terminal_id
    state.apply(state.MADE_DUE, here)
    state.apply(state.FACE_MADE_DUE, here, Enrolment.person != REFUSED)
    db.session.commit()


def resume(terminal_id: int) -> None:
    """Make waiting and stopped enrolments of a terminal due, within the caller's transaction."""
    here = Enrolment.terminal_id == terminal_id
    state.apply(state.MADE_DUE, here)
    state.apply(state.FACE_MADE_DUE, here, Enrolment.refusal_code.in_(STOP_CODES))
