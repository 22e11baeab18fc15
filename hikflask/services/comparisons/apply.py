"""Carries out one step of a plan. It is checked again at the terminal, where something may have changed since."""

from collections.abc import Mapping
from typing import Any

from hikflask.models import Enrolment, JobItem


def run_item(item: JobItem, params: Mapping[str, Any]) -> Enrolment | None:
    """Do one item of an APPLY job within the caller's transaction; return the enrolment that the job waits for.

    Send and remove desire it, and the enrolment is reconciled as any other one. Take over asks the terminal itself.

    :param params: of the job: comparison (its id), terminal_id, same_person (list of numbers).
    :raises ServiceError: when the step is refused. :raises TerminalError: when the terminal refuses or does not answer.
    """
    raise NotImplementedError
