"""The errors of the services that somebody handles by their class. Any other refusal is a ServiceError with a code."""

from typing import Any

from hikflask.codes import refusals
from hikflask.isapi.errors import TerminalError, spelled
from hikflask.models.refusal import Refusal


class ServiceError(Exception):
    """Something was refused. `code` finds its `meaning` in codes/refusals.py, `params` are the values of its sentence.

    `fields`: the form fields that are wrong. `retryable`: the program tries again by itself. `retry_after`: after how
    many seconds the same request may succeed, where that is known. A class of its own has only what is caught by it.
    """

    code = "refused"

    def __init__(
        self, code: str = "", /, *, fields: tuple[str, ...] = (), retry_after: int | None = None, **params: Any
    ) -> None:
        self.code = code or self.code
        super().__init__(self.code)
        self.params = params
        self.meaning = refusals.type_of(self.code)
        self.fields = fields or ((self.meaning.field,) if self.meaning.field else ())
        self.retryable = self.meaning.retryable
        self.retry_after = retry_after or self.meaning.retry_after


def refusal_of(error: ServiceError | TerminalError) -> Refusal:
    """Return an error as a row stores it: its code, and the values of its sentence."""
    return Refusal(code=error.code, params=error.params)


def told(refusal: Refusal | None) -> tuple[str, str]:
    """Return code and text of a refusal as the API and webhooks publish them; both are empty where there is none."""
    if refusal is None:
        return "", ""
    code, params = refusal["code"], refusal["params"]
    text = next((params[name] for name in ("text", "name", "reason", "after") if name in params), "")
    return spelled(code, params), str(text)


class NameTooLong(ServiceError):
    """The name has more bytes than the terminal accepts (params: limit, length)."""

    code = "name_bytes"


class NotFound(ServiceError):
    """What the caller named is not there, or not any more: an employee, a department, a webhook …"""


class CursorUnknown(ServiceError):
    """A list was asked for from a place that it does not have."""

    code = "cursor_unknown"


class BadPhoto(ServiceError):
    """The uploaded file is not a picture that is accepted."""

    code = "photo_unreadable"


class PhotosWaiting(ServiceError):
    """Other photos are being decoded, and this one had to wait too long (params: seconds until a new try)."""

    code = "photos_waiting"

    def __init__(self, seconds: int) -> None:
        super().__init__(retry_after=seconds, seconds=seconds)


class TerminalRetired(ServiceError):
    """The terminal is out of service for good, and nothing more is sent to it (params: t)."""

    code = "terminal_retired"


class TerminalInUse(ServiceError):
    """Another conversation holds the terminal (params: who, seconds, and capture_id when it is a capture)."""

    code = "terminal_in_use"


class LeaseLost(ServiceError):
    """The lease has ended, and another conversation has the terminal now."""

    code = "lease_lost"


class GenerationChanged(ServiceError):
    """The desired state changed while the terminal was being told the earlier one."""

    code = "wish_changed"


class CaptureDeleted(ServiceError):
    """All that is kept of a person was erased while the person's face was captured."""

    code = "cancelled"


class CaptureSuperseded(ServiceError):
    """Another face has been captured at that terminal since, or the file is gone ("file_gone"). No face is sent."""

    code = "superseded"


class PhotoForgotten(ServiceError):
    """The photo was deleted when its retention ended, so there is no picture to send."""

    code = "photo_forgotten"


class LoginStopped(ServiceError):
    """The terminal refused the password before. Nothing is sent until it is corrected (params: n minutes)."""

    def __init__(self, code: str, minutes: int | None) -> None:
        super().__init__(code, n=minutes)


class NotComparedSinceRestore(ServiceError):
    """The rows came from a backup, and nothing is written to the terminal before it was compared (params: t)."""

    code = "not_compared_since_restore"


class NumberTakenThere(ServiceError):
    """The number belongs to somebody else on the terminal (params: n, name)."""

    code = "employeenoalreadyexist"


class CardTaken(ServiceError):
    """The card is an employee's already (params: n, and name and number of whose it is)."""

    code = "card_taken"


class CardTakenThere(ServiceError):
    """Somebody else has the card on the terminal (params: n, and number: the employee number of whose it is there)."""

    code = "card_taken_there"


class EnrolmentUnknown(ServiceError):
    """There is no such enrolment, or not any more."""

    code = "enrolment_unknown"


class CertificateUncheckable(ServiceError):
    """The key of a certificate's digest is lost with the password key of then."""

    code = "certificate_uncheckable"


class BadArchive(ServiceError):
    """The uploaded file is not a ZIP archive that is accepted."""

    code = "archive_unreadable"


class DepartmentKnown(ServiceError):
    """There is a department of this name, in this or another spelling (params: name, and its department_id)."""

    code = "department_known"


class UnsafePlan(ServiceError):
    """More people lose access to terminals than is done without their number typed (params: count)."""

    code = "unsafe_plan"

    def __init__(self, count: int) -> None:
        super().__init__(count=count)
        self.count = count


class AdministratorNeeded(ServiceError):
    """Only an administrator may take access to terminals from so many people (params: count, t: the terminals)."""

    code = "administrator_needed"

    def __init__(self, count: int, terminals: str) -> None:
        super().__init__(count=count, t=terminals)


class LostRace(ServiceError):
    """Others changed what a transaction was decided by. Its owner does it once more before anybody is told."""

    code = "changed_since"


class PlanChanged(ServiceError):
    """Something else would be done by now than what was shown before it was agreed to; see services/core/shown.py."""

    code = "plan_changed"
