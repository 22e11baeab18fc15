"""Takes over somebody who is on a terminal already: number, name, validity, and the enrolled picture where it is given.

Nothing is written to the terminal, so cards, fingerprints and rights stay as they are. The terminal's own answer, asked
anew, is what confirms the enrolment.
"""

from hikflask.models import Enrolment


def take_over(terminal_id: int, number: str, name_seen: str, holder: str, *, same_person: bool = False) -> Enrolment:
    """Make the person with this number on the terminal an employee, or join the employee who has the number.

    :param name_seen: the name that the plan was made with; another name there meanwhile is refused.
    :param same_person: the employee here has another name, and a person said it is the same: the name there counts.
    :raises NotThere: :raises ChangedThere: when the terminal shows nobody, or another name.
    :raises NameDiffers: :raises IllegalNumber: :raises EmployeeInactive: :raises NumberLeaving: :raises ConsentMissing:
        when that person cannot be taken over. :raises TerminalError: when the terminal refuses or does not answer.
    """
    raise NotImplementedError
