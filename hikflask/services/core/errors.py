"""What a service refuses, by code; the sentences are made in wording.py, the statuses in web/ and api/."""

from typing import Any


class ServiceError(Exception):
    """A refusal: `code` names it in wording.py, `params` fill its sentence, `fields` names the fields at fault.

    `retryable` says that what was wanted is tried again by itself; `retry_after` after how many seconds the same may be
    asked again, where that helps.
    """

    code = "refused"
    retryable: bool = False
    fields: tuple[str, ...] = ()
    retry_after: int | None = None

    def __init__(self, **params: Any) -> None:
        super().__init__(self.code)
        self.params = params


class NumberKnown(ServiceError):
    """Another employee has this number."""

    code = "number_known"
    fields = ("hikvision_id",)


class NumberEnrolled(ServiceError):
    """A number that is enrolled on a terminal cannot be changed."""

    code = "number_enrolled"
    fields = ("hikvision_id",)


class NumberLeaving(ServiceError):
    """Somebody with this number is still being removed from a terminal."""

    code = "number_leaving"
    fields = ("hikvision_id",)


class NameTooLong(ServiceError):
    """The name has more bytes than the terminal takes (params: limit, length)."""

    code = "name_bytes"
    fields = ("full_name",)


class EmployeeUnknown(ServiceError):
    """No such employee, or none any more."""

    code = "employee_unknown"


class EmployeeInactive(ServiceError):
    """Somebody who left is not put on a terminal."""

    code = "employee_inactive"


class BadPhoto(ServiceError):
    """The uploaded file is no picture that is accepted."""

    code = "photo_unreadable"
    fields = ("photo",)


class PhotoTooLarge(BadPhoto):
    """Over 10 MB."""

    code = "photo_too_large"


class PhotoTooManyPixels(BadPhoto):
    """Over 40 megapixels."""

    code = "photo_too_many_pixels"


class PhotosWaiting(ServiceError):
    """Other photos are being decoded, and this one's turn did not come in time (params: seconds until a new try)."""

    code = "photos_waiting"
    fields = ("photo",)

    def __init__(self, seconds: int) -> None:
        super().__init__(seconds=seconds)
        self.retry_after = seconds


class TerminalUnknown(ServiceError):
    """No such terminal, or one that is switched off here."""

    code = "terminal_unknown"
    fields = ("terminal_id",)


class TerminalNotNamed(ServiceError):
    """Several terminals are in use, and nothing says which one is meant."""

    code = "terminal_not_named"
    fields = ("terminal_id",)


class TerminalRetired(ServiceError):
    """Nothing is sent to a terminal that is out of service for good (params: t)."""

    code = "terminal_retired"


class TerminalNameKnown(ServiceError):
    """Another terminal has this name."""

    code = "terminal_name_known"
    fields = ("name",)


class TerminalAddressRefused(ServiceError):
    """The address is none that terminals may be connected to at."""

    code = "terminal_address_refused"
    fields = ("url",)


class TerminalHttpsRequired(TerminalAddressRefused):
    """Terminals are spoken to over https alone (HIKFLASK_TERMINAL_REQUIRE)."""

    code = "terminal_https_required"


class TerminalPasswordNeeded(ServiceError):
    """A stored password is shown to no other address and certificate than those it was typed for."""

    code = "terminal_password_needed"
    fields = ("password",)


class TerminalHasPeople(ServiceError):
    """A terminal that people are enrolled on is not deleted."""

    code = "terminal_has_people"


class TerminalInUse(ServiceError):
    """Another conversation holds the terminal (params: who, seconds)."""

    code = "terminal_in_use"


class TerminalHeld(ServiceError):
    """An unsaved picture of another number waits there (params: name, who, capture_id)."""

    code = "terminal_held"


class TooManyCalls(ServiceError):
    """This caller waits on terminals as often as one may at a time (params: n)."""

    code = "too_many_calls"
    retry_after = 5


class ServerBusy(ServiceError):
    """As many requests wait on terminals as may in one process (params: n seconds)."""

    code = "server_busy"
    retry_after = 5


class LeaseLost(ServiceError):
    """This conversation was too late: another one has the terminal now."""

    code = "lease_lost"


class GenerationChanged(ServiceError):
    """What is wanted changed while the terminal was being told the old wish."""

    code = "wish_changed"


class CaptureRunning(ServiceError):
    """The picture is not there yet."""

    code = "capture_running"
    fields = ("capture_id",)


class CaptureSuperseded(ServiceError):
    """Another face was captured at that terminal since, or the file is gone; nothing is bound."""

    code = "superseded"
    fields = ("capture_id",)


class CaptureOfAnother(ServiceError):
    """Somebody else made this picture; it is saved after a question (params: who, name, n)."""

    code = "capture_of_another"
    fields = ("capture_id",)


class CaptureNotSaved(ServiceError):
    """The picture was deleted, since nobody saved it within HIKFLASK_CAPTURE_RETENTION."""

    code = "not_saved"
    fields = ("capture_id",)


class PhotoForgotten(ServiceError):
    """The photo's retention has ended: there is no picture to send any more."""

    code = "photo_forgotten"


class CaptureLost(ServiceError):
    """The terminal has the captured file no more, and nothing proves which face was bound."""

    code = "file_gone"


class PersonNotVerified(ServiceError):
    """The terminal answered, also that it has the person already, but its own list does not show the person."""

    code = "person_not_verified"
    retryable = True


class NameNotVerified(ServiceError):
    """The terminal said OK, but its own list shows the number under another name (params: name, the one there)."""

    code = "name_not_verified"
    retryable = True


class FaceNotVerified(ServiceError):
    """The terminal said OK, but does not show the face that was put there, or still shows one that was taken off."""

    code = "face_not_verified"
    retryable = True


class RemovalNotVerified(ServiceError):
    """The terminal said OK, but its own list still shows who was to be removed (params: name, of whom to replace)."""

    code = "removal_not_verified"
    retryable = True


class LoginStopped(ServiceError):
    """The terminal refused the password before; nothing is sent until it is corrected (params: code, minutes)."""

    code = "wrong_password"

    def __init__(self, code: str, minutes: int | None) -> None:
        super().__init__(n=minutes)
        self.code = code


class OtherDevice(ServiceError):
    """Another device answers at the terminal's address; the old one may still know who was to leave."""

    code = "other_device"


class NumberTakenThere(ServiceError):
    """On the terminal the number belongs to somebody else (params: n, name)."""

    code = "employeeNoAlreadyExist"


class EnrolmentUnknown(ServiceError):
    """No such enrolment, or none any more."""

    code = "enrolment_unknown"


class ConsentMissing(ServiceError):
    """Without recorded consent no face is taken or kept here (HIKFLASK_CONSENT=require)."""

    code = "consent_missing"
    fields = ("consent",)
