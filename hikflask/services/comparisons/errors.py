"""What is refused of a comparison or of its plan, each with a code (see services/core/errors.py)."""

from hikflask.services.core.errors import ServiceError
from hikflask.services.state.enrolment import NOT_RESTORED


class ComparisonUnknown(ServiceError):
    """There is no such comparison, or not any more."""

    code = "comparison_unknown"


class NotCompared(ServiceError):
    """The terminal was not compared yet, or its last comparison is not finished."""

    code = "not_compared"


class ComparisonFailed(ServiceError):
    """The list of the terminal could not be read to its end for certain, so nothing is concluded from it."""

    code = "comparison_failed"


class ListChanging(ComparisonFailed):
    """The list was read again as often as allowed, and changed each time."""

    code = "list_changing"


class ListIncomplete(ComparisonFailed):
    """The terminal does not give its whole list: it repeats pages, stops early, or tells a wrong total."""

    code = "list_incomplete"


class ListTooLong(ComparisonFailed):
    """The terminal lists more people or faces than it can hold, or more than any terminal holds."""

    code = "list_too_long"


class AnotherDevice(ComparisonFailed):
    """Another device answered at the terminal's address while its list was read."""

    code = "another_device"


class NotRestored(ServiceError):
    """Another device stands at the address, and no administrator said yet that the people belong on it."""

    code = NOT_RESTORED


class ComparisonReplaced(ComparisonFailed):
    """A newer comparison of this terminal was begun."""

    code = "comparison_replaced"


class NumbersUnknown(ServiceError):
    """Numbers of a plan are neither here nor there (params: numbers). `fields` names the lists that have them."""

    code = "numbers_unknown"

    def __init__(self, fields: tuple[str, ...], numbers: str) -> None:
        super().__init__(numbers=numbers)
        self.fields = fields


class NameDiffers(ServiceError):
    """The number has another name there; a person must say that it is the same person (params: n, here, there)."""

    code = "name_differs"


class FaceDiffers(ServiceError):
    """The terminal has another face of the employee; a person must look at both and choose (params: n)."""

    code = "face_differs"


class FaceNotRead(ServiceError):
    """The comparison did not read the face on the terminal, and the employee has one here (params: n)."""

    code = "face_not_read"


class NotThere(ServiceError):
    """Nobody has the number on the terminal, so there is nothing to take over or to remove (params: n)."""

    code = "not_there"


class NotHere(ServiceError):
    """Nobody here has the number, so there is nobody to send (params: n)."""

    code = "not_here"


class IllegalNumber(ServiceError):
    """The program cannot use this number of the terminal's list (params: n)."""

    code = "number_not_usable"


class ChangedThere(ServiceError):
    """The person on the terminal is not the one that was seen when the plan was made (params: n)."""

    code = "changed_there"


class NothingToTakeOver(ServiceError):
    """What the terminal has of this person is not different, or it has nothing that can be taken over (params: n)."""

    code = "nothing_to_take_over"


class NameNotUsable(ServiceError):
    """The terminal has no name for the number, or one that is too long for an employee (params: n)."""

    code = "name_not_usable"


class ValidityNotReadable(ServiceError):
    """The terminal does not tell readably from when to when the person may enter."""

    code = "validity_not_readable"


class ValidityOutside(ServiceError):
    """The validity there begins or ends on a day that no employee can have."""

    code = "validity_outside"


class NoWholeDay(ServiceError):
    """The validity there begins and ends within a day or a night, and employees have whole days."""

    code = "no_whole_day"


class OverThere(ServiceError):
    """The validity there is over, but the employee who has the number is active."""

    code = "over_there"


# Of failed comparisons, by the code that is kept in the row.
FAILURES = {kind.code: kind for kind in (ListChanging, ListIncomplete, ListTooLong, AnotherDevice, ComparisonReplaced)}
