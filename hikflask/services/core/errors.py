"""Errors of the services, each with a code. messages.py has the sentences, web/ and api/ the HTTP statuses."""

from typing import Any

from hikflask.isapi.errors import TerminalError
from hikflask.models.refusal import Refusal


class ServiceError(Exception):
    """Something was refused. `code` finds the sentence in messages.py, and `params` fill in its values.

    `fields`: the form fields that are wrong. `retryable`: the program tries again by itself. `retry_after`: after how
    many seconds the same request may succeed, where that is known.
    """

    code = "refused"
    retryable: bool = False
    fields: tuple[str, ...] = ()
    retry_after: int | None = None

    def __init__(self, **params: Any) -> None:
        super().__init__(self.code)
        self.params = params


def refusal_of(error: ServiceError | TerminalError) -> Refusal:
    """Return an error as a row stores it; a terminal's has its own words as `text`."""
    params = error.params if isinstance(error, ServiceError) else {"text": error.text}
    return Refusal(code=error.code, params=params)


class NumberKnown(ServiceError):
    """Another employee has this number."""

    code = "number_known"
    fields = ("hikvision_id",)


class NumberEnrolled(ServiceError):
    """The number is enrolled on a terminal, so it cannot be changed."""

    code = "number_enrolled"
    fields = ("hikvision_id",)


class NumberLeaving(ServiceError):
    """Somebody with this number is still being removed from a terminal."""

    code = "number_leaving"
    fields = ("hikvision_id",)


class NameTooLong(ServiceError):
    """The name has more bytes than the terminal accepts (params: limit, length)."""

    code = "name_bytes"
    fields = ("full_name",)


class EmployeeUnknown(ServiceError):
    """There is no such employee, or not any more."""

    code = "employee_unknown"


class CursorUnknown(ServiceError):
    """A list was asked for from a place that it does not have."""

    code = "cursor_unknown"
    fields = ("after",)


class EmployeeInactive(ServiceError):
    """The employee is deactivated, and is not sent to a terminal."""

    code = "employee_inactive"


class BadPhoto(ServiceError):
    """The uploaded file is not a picture that is accepted."""

    code = "photo_unreadable"
    fields = ("photo",)


class PhotoTooLarge(BadPhoto):
    """The file has more than 10 MB."""

    code = "photo_too_large"


class PhotoTooManyPixels(BadPhoto):
    """The picture has more than 40 megapixels."""

    code = "photo_too_many_pixels"


class PhotoDraftGone(ServiceError):
    """The uploaded photo is not there any more: it was not saved within an hour, or it is saved already."""

    code = "photo_draft_gone"
    fields = ("photo",)


class PhotosWaiting(ServiceError):
    """Other photos are being decoded, and this one had to wait too long (params: seconds until a new try)."""

    code = "photos_waiting"
    fields = ("photo",)

    def __init__(self, seconds: int) -> None:
        super().__init__(seconds=seconds)
        self.retry_after = seconds


class ClockNotSet(ServiceError):
    """The terminal said OK, but still shows another time or zone."""

    code = "clock_not_set"


class TerminalUnknown(ServiceError):
    """There is no such terminal, or it is not in use."""

    code = "terminal_unknown"
    fields = ("terminal_id",)


class TerminalNotNamed(ServiceError):
    """Several terminals are in use, and the request does not say which one is meant."""

    code = "terminal_not_named"
    fields = ("terminal_id",)


class TerminalRetired(ServiceError):
    """The terminal is out of service for good, and nothing is sent to it (params: t)."""

    code = "terminal_retired"


class TerminalNameKnown(ServiceError):
    """Another terminal has this name."""

    code = "terminal_name_known"
    fields = ("name",)


class TerminalAddressRefused(ServiceError):
    """Terminals may not have this address."""

    code = "terminal_address_refused"
    fields = ("url",)


class TerminalHttpsRequired(TerminalAddressRefused):
    """The address must begin with https (HIKFLASK_TERMINAL_REQUIRE)."""

    code = "terminal_https_required"


class TerminalPasswordNeeded(ServiceError):
    """The address or certificate changed, so the password must be typed again: it is not sent to another device."""

    code = "terminal_password_needed"
    fields = ("password",)


class TerminalHasPeople(ServiceError):
    """People are enrolled on the terminal, so it is not deleted."""

    code = "terminal_has_people"


class TerminalInUse(ServiceError):
    """Another conversation holds the terminal (params: who, seconds, and capture_id when it is a capture)."""

    code = "terminal_in_use"


class TerminalHeld(ServiceError):
    """An unsaved picture for another number holds the terminal (params: name, who, capture_id)."""

    code = "terminal_held"


class IdempotencyKeyReused(ServiceError):
    """The Idempotency-Key of a call came with another request before."""

    code = "idempotency_key_reused"
    fields = ("Idempotency-Key",)


class IdempotencyRunning(ServiceError):
    """The first call with this Idempotency-Key was not answered yet."""

    code = "idempotency_running"
    retry_after = 5


class IdempotencyAnswerGone(ServiceError):
    """The call with this Idempotency-Key was answered, but the answer is not kept any more."""

    code = "idempotency_answer_gone"


class TooManyCalls(ServiceError):
    """This caller has as many requests waiting on terminals as one caller may have (params: n)."""

    code = "too_many_calls"
    retry_after = 5


class ServerBusy(ServiceError):
    """As many requests wait on terminals as one process allows (params: n seconds)."""

    code = "server_busy"
    retry_after = 5


class LeaseLost(ServiceError):
    """The lease has ended, and another conversation has the terminal now."""

    code = "lease_lost"


class GenerationChanged(ServiceError):
    """The desired state changed while the terminal was being told the earlier one."""

    code = "wish_changed"


class CaptureRunning(ServiceError):
    """The picture is not there yet."""

    code = "capture_running"
    fields = ("capture_id",)


class CaptureSuperseded(ServiceError):
    """Another face has been captured at that terminal since, or the file is gone. No face is sent."""

    code = "superseded"
    fields = ("capture_id",)


class CaptureNotNamed(ServiceError):
    """The newest picture has no number, another one could be meant, too, and the request does not say which."""

    code = "capture_not_named"
    fields = ("photo_path",)


class CaptureUnknown(ServiceError):
    """The caller has no capture with this path for this number, or without a number."""

    code = "capture_unknown"
    fields = ("photo_path",)


class CaptureOfAnother(ServiceError):
    """Somebody else captured this picture. It is saved after a question (params: who, name, n)."""

    code = "capture_of_another"
    fields = ("capture_id",)


class CaptureDeleted(ServiceError):
    """All that is kept of a person was erased while the person's face was captured."""

    code = "cancelled"


class CaptureNotSaved(ServiceError):
    """The picture was deleted, because nobody saved it within HIKFLASK_CAPTURE_RETENTION."""

    code = "not_saved"
    fields = ("capture_id",)


class PhotoForgotten(ServiceError):
    """The photo was deleted when its retention ended, so there is no picture to send."""

    code = "photo_forgotten"


class CaptureLost(ServiceError):
    """The terminal does not have the captured file any more, so nothing proves which face it took."""

    code = "file_gone"


class PersonNotVerified(ServiceError):
    """The terminal accepted the person, or said it has the person already, but its list does not show the person."""

    code = "person_not_verified"
    retryable = True


class NameNotVerified(ServiceError):
    """The terminal said OK, but its list shows the number under another name (params: name, the one there)."""

    code = "name_not_verified"
    retryable = True


class ValidityNotVerified(ServiceError):
    """The terminal said OK, but its list shows another validity (params: name, the words there)."""

    code = "validity_not_verified"
    retryable = True


class ValidityNotShown(ServiceError):
    """The terminal shows no validity, so nothing proves the one that was sent. Trying again would not change that."""

    code = "validity_not_shown"


class RightsNotVerified(ServiceError):
    """The terminal said OK, but its list does not show the validity, the doors or the plans that must be there."""

    code = "rights_not_verified"
    retryable = True


class ValidityOver(ServiceError):
    """The last day of the employee's validity is past, so no terminal would let the employee in."""

    code = "validity_over"
    fields = ("valid_to",)


class ValidityReversed(ServiceError):
    """The last day of the validity is before the first one."""

    code = "validity_reversed"
    fields = ("valid_to",)


class FaceNotVerified(ServiceError):
    """The terminal said OK, but does not show the face that was sent, or still shows one that was removed."""

    code = "face_not_verified"
    retryable = True


class RemovalNotVerified(ServiceError):
    """The terminal said OK, but its list still shows the person to be removed (params: name, when one is replaced)."""

    code = "removal_not_verified"
    retryable = True


class RemovalNotShown(ServiceError):
    """The terminal accepted the removal, but its list of people cannot be read, so nothing shows that it was done."""

    code = "removal_not_shown"
    retryable = True


class HolderNotShown(ServiceError):
    """The terminal's list cannot be read, and it never showed the number under our name: a person must decide."""

    code = "holder_not_shown"


class LoginStopped(ServiceError):
    """The terminal refused the password before. Nothing is sent until it is corrected (params: n minutes)."""

    code = "wrong_password"

    def __init__(self, code: str, minutes: int | None) -> None:
        super().__init__(n=minutes)
        self.code = code


class NotComparedSinceRestore(ServiceError):
    """The rows came from a backup, and nothing is written to the terminal before it was compared (params: t)."""

    code = "not_compared_since_restore"


class OtherDevice(ServiceError):
    """Another device answers at the terminal's address. The old one may still let in who is to be removed."""

    code = "other_device"


class NumberTakenThere(ServiceError):
    """The number belongs to somebody else on the terminal (params: n, name)."""

    code = "employeeNoAlreadyExist"


class EnrolmentUnknown(ServiceError):
    """There is no such enrolment, or not any more."""

    code = "enrolment_unknown"


class ConsentMissing(ServiceError):
    """Consent must be recorded before a face is taken or kept (HIKFLASK_CONSENT=require)."""

    code = "consent_missing"
    fields = ("consent",)


class BadTable(ServiceError):
    """The uploaded file is no table: neither CSV nor XLSX."""

    code = "table_unreadable"
    fields = ("file",)


class TableEmpty(BadTable):
    """The file has nothing in it."""

    code = "table_empty"


class TableNoRows(BadTable):
    """There is nothing below the names of the columns."""

    code = "table_no_rows"


class TableTooLarge(BadTable):
    """The file has more than HIKFLASK_IMPORT_FILE_LIMIT megabytes (params: n)."""

    code = "table_too_large"


class TableColumns(BadTable):
    """The table has too many columns (params: n, how many it may have)."""

    code = "table_columns"


class TableRows(BadTable):
    """The table has too many rows (params: n, how many it may have)."""

    code = "table_rows"


class TableOldExcel(BadTable):
    """The file has the format of Excel before 2007."""

    code = "table_old_excel"


class TablePassword(BadTable):
    """The workbook is protected by a password."""

    code = "table_password"


class TableMacros(BadTable):
    """The workbook has macros."""

    code = "table_macros"


class TableDamaged(BadTable):
    """The workbook is damaged, or was not saved to its end."""

    code = "table_damaged"


class TableUnpacked(BadTable):
    """The workbook is small while it is packed, and far too large when it is unpacked."""

    code = "table_unpacked"


class TableEncoding(BadTable):
    """The text is neither UTF-8 nor Windows-1251."""

    code = "table_encoding"


class TableQuote(BadTable):
    """A quotation mark of a CSV file is never closed (params: line, in which its cell begins)."""

    code = "table_quote"


class CertificateUncheckable(ServiceError):
    """The key of a certificate's digest is lost with the password key of then."""

    code = "certificate_uncheckable"


class BadArchive(ServiceError):
    """The uploaded file is not a ZIP archive that is accepted."""

    code = "archive_unreadable"
    fields = ("photos",)


class ArchiveTooMany(BadArchive):
    """The archive has more files than are accepted (params: n)."""

    code = "archive_too_many"


class ArchiveTooLarge(BadArchive):
    """The files in the archive are too large together (params: n megabytes)."""

    code = "archive_too_large"


class ArchiveEncrypted(BadArchive):
    """Files in the archive are protected by a password."""

    code = "archive_encrypted"


class ArchiveEmpty(BadArchive):
    """No file in the archive is a picture."""

    code = "archive_empty"


class DepartmentUnknown(ServiceError):
    """There is no such department, or not any more."""

    code = "department_unknown"


class DepartmentKnown(ServiceError):
    """There is a department of this name, in this or another spelling (params: name, and its department_id)."""

    code = "department_known"
    fields = ("name",)


class DepartmentHasPeople(ServiceError):
    """The department is not deleted while people are in it."""

    code = "department_has_people"


class DepartmentBusy(ServiceError):
    """The people of the department are being changed all the time, so they could not all be changed at once."""

    code = "department_busy"


class GroupUnknown(ServiceError):
    """There is no such group of terminals, or not any more."""

    code = "group_unknown"


class GroupKnown(ServiceError):
    """Another group of terminals has this name."""

    code = "group_known"
    fields = ("name",)


class GroupTerminalUnknown(ServiceError):
    """A group cannot have this terminal: there is none, or it is out of service for good (params: n, its id)."""

    code = "group_terminal_unknown"
    fields = ("device_ids",)


class GroupEmployeeUnknown(ServiceError):
    """No employee has an ID that was typed to be added to a group (params: n)."""

    code = "group_employee_unknown"
    fields = ("added",)


class UnsafePlan(ServiceError):
    """More people lose access to terminals than is done without their number typed (params: count)."""

    code = "unsafe_plan"
    fields = ("confirm",)

    def __init__(self, count: int) -> None:
        super().__init__(count=count)
        self.count = count


class AdministratorNeeded(ServiceError):
    """Only an administrator may take access to terminals from so many people (params: count, t: the terminals)."""

    code = "administrator_needed"

    def __init__(self, count: int, terminals: str) -> None:
        super().__init__(count=count, t=terminals)


class ChangedSince(ServiceError):
    """The employee is not any more as a plan, a dry run or an import left it."""

    code = "changed_since"


class LostRace(ServiceError):
    """Others changed what a transaction was decided by. Its owner does it once more before anybody is told."""

    code = "changed_since"


class PlanChanged(ServiceError):
    """Something else would be done by now than what was shown before it was agreed to; see services/core/shown.py."""

    code = "plan_changed"


class TableSlow(BadTable):
    """The table was not read within the time for it."""

    code = "table_slow"


class TablesWaiting(ServiceError):
    """Other tables are being looked at, and this one had to wait too long (params: seconds until a new try)."""

    code = "tables_waiting"
    fields = ("file",)

    def __init__(self, seconds: int) -> None:
        super().__init__(seconds=seconds)
        self.retry_after = seconds
