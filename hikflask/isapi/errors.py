"""The errors of a conversation with a terminal, and the table that maps the terminal's codes to them.

Source of the codes: the vendor's table of subStatusCode values (ISAPI guide, appendix "Error codes") and recorded
refusals.
"""

import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from hikflask.isapi.answer import ResponseStatus

# The prefix of a subStatusCode that is not in CODES. It keeps the terminal's words apart from our own codes.
OWN_WORD = "terminal:"


class TerminalError(Exception):
    """The base class of all terminal errors; it carries the terminal's own words.

    `code` is a subStatusCode of CODES, the class's own code, or OWN_WORD and any other subStatusCode, in lower case.
    `retryable`: the app may retry by itself. `reached`: the terminal itself answered. `stops`: every conversation with
    the terminal stops, because another request would use up a login try or go to an unknown device.
    """

    retryable: bool = False
    reached: bool = True
    stops: bool = False
    own_code: str = "terminal_error"

    def __init__(
        self,
        *,
        code: str = "",
        status_code: int | None = None,
        sub_status: str = "",
        message: str = "",
        path: str = "",
        http_status: int | None = None,
    ) -> None:
        super().__init__()
        self.code = code or self.own_code
        self.status_code = status_code
        self.sub_status = sub_status
        self.message = message
        self.path = path
        self.http_status = http_status

    @property
    def params(self) -> dict[str, str]:
        """The terminal's message, which the sentence about this error quotes, and an unknown code as it spells it."""
        word = self.sub_status[: MAX_LENGTHS["sub_status"] - len(OWN_WORD)]
        return {"text": self.message} | ({"word": word} if self.code.startswith(OWN_WORD) else {})

    def __str__(self) -> str:
        return " ".join(part for part in (self.code, self.path, self.message) if part)


class Unreachable(TerminalError):
    """There was no connection, so the request was not sent."""

    retryable = True
    reached = False
    own_code = "unreachable"


class NoAnswer(TerminalError):
    """The request was sent, but no complete answer came: the outcome is unknown."""

    retryable = True
    reached = False
    own_code = "no_answer"


class CertificateChanged(TerminalError):
    """The server's certificate is not the pinned one or, without a pin, not a trusted one."""

    reached = False
    stops = True
    own_code = "certificate_changed"


class AddressRefused(TerminalError):
    """The terminal's address is not allowed; nothing was sent. `message` is its host."""

    reached = False
    stops = True
    own_code = "address_refused"


class HttpsRequired(AddressRefused):
    """The terminal's address is http, but the client may use only https; nothing was sent."""

    own_code = "https_required"


class WeakDigest(TerminalError):
    """The terminal offers no Digest with SHA-256, but the client may use no other; no credentials were sent."""

    stops = True
    own_code = "weak_digest"


class Nonsense(TerminalError):
    """The answer is not what the protocol allows."""

    own_code = "nonsense"


class UnusablePicture(Nonsense):
    """The answer should be a picture, but is none or cannot be decoded."""

    own_code = "unusable_picture"


class CaptureCancelled(TerminalError):
    """The caller cancelled the capture."""

    own_code = "cancelled"


class LoginRefused(TerminalError):
    """The terminal refused the login. Another try would bring the account closer to its lock."""

    stops = True
    own_code = "login_refused"

    def __init__(self, *, tries_left: int | None = None, unlock_seconds: int | None = None, **words: Any) -> None:
        super().__init__(**words)
        self.tries_left = tries_left
        self.unlock_seconds = unlock_seconds


class WrongPassword(LoginRefused):
    """The password was refused. `tries_left` is how many login tries remain, if the terminal sends it."""

    own_code = "wrong_password"


class AccountLocked(LoginRefused):
    """The account is locked, for `unlock_seconds` more seconds if the terminal sends it."""

    own_code = "locked"


class Refused(TerminalError):
    """The terminal refused the request. Base class of all refusals, used directly for those without their own class."""

    own_code = "refused"


class Busy(Refused):
    """Somebody else uses the terminal, or it still processes an earlier request."""

    retryable = True
    own_code = "devicebusy"


class CaptureTimeout(Refused):
    """Nobody showed a face in time."""

    own_code = "capturetimeout"


class CaptureUnanswered(CaptureTimeout):
    """The terminal answered nothing at all until the deadline: it saw nobody, or does not answer any more."""

    own_code = "capture_unanswered"


class NobodyYet(CaptureTimeout):
    """Nobody shows a face yet, and the terminal can be asked again: the answer of K1T320 (one client)."""


class NotSupported(Refused):
    """This model does not have the function. `text` of `params` names it, such as UserInfo/Count."""

    own_code = "function_not_supported"

    @property
    def params(self) -> dict[str, str]:
        """The last two parts of the path, which name the function."""
        return {"text": "/".join(self.path.rsplit("/", 2)[-2:])}


class CaptureNotSupported(NotSupported):
    """This model cannot capture on request. Only CaptureFaceData gives this answer."""

    own_code = "notsupport"


class FaceRefused(Refused):
    """The terminal does not take this picture of a face; the code tells why: none, several, too small, poor …"""


class NoFace(FaceRefused):
    """There is no face in the picture."""

    own_code = "nofaceinpicture"


class SmallFace(FaceRefused):
    """The face is too small."""

    own_code = "picsizesmallerror"


class PoorFace(FaceRefused):
    """The picture of the face is too poor: dark, blurred, covered."""

    own_code = "poorfacequality"


class ModelingFailed(Refused):
    """The terminal could not model the face."""

    own_code = "modelingfailed"

    @property
    def may_be_about_form(self) -> bool:
        """True when some firmware gives this error for a form in which it does not find the picture (two clients)."""
        return "picfeaturepoints" in f"{self.sub_status} {self.message}".lower()


class FileTooLarge(Refused):
    """The picture's file is too large."""

    own_code = "picsizeexceederror"


class NumberTaken(Refused):
    """A person with this number exists already."""

    own_code = "employeenoalreadyexist"


class PersonUnknown(Refused):
    """No person has this number."""

    own_code = "employeenonotexist"


class IllegalNumber(Refused):
    """The terminal does not accept this number."""

    own_code = "illegalemployeeno"


class NameTooLong(Refused):
    """The terminal does not accept this name."""

    own_code = "name_too_long"


class Full(Refused):
    """The terminal has no room for another person or face."""

    own_code = "deviceuserfull"


class FacesFull(Full):
    """The terminal has no room for another face."""

    own_code = "devicefacefull"


class CardTaken(Refused):
    """Somebody on the terminal has this card already. The terminal does not tell who."""

    own_code = "cardnoalreadyexist"


class CardsFull(Refused):
    """The terminal, or this person on it, has no room for another card; the code tells which."""

    own_code = "devicecardfull"


class IllegalCard(Refused):
    """The terminal does not accept this card number."""

    own_code = "illegalcardno"


class CardReaderOffline(Refused):
    """The terminal's card reader does not answer it."""

    own_code = "cardreaderoffline"


class CardTimeout(Refused):
    """Nobody held a card to the terminal in time."""

    own_code = "card_timeout"


class SameFace(Refused):
    """This face is enrolled under another number."""

    own_code = "alreadyexistthisface"


class PictureLost(Refused):
    """The terminal could not download the picture from the given URL."""

    own_code = "urldownloadfail"


class Gone(PictureLost):
    """The picture's address answers 404."""

    own_code = "gone"


class NoRight(Refused):
    """The account lacks the permission."""

    own_code = "lowprivilege"


class RestartRequired(Refused):
    """It is done, but takes effect only after a restart of the terminal."""

    own_code = "rebootrequired"


def _every(kind: type[TerminalError]) -> list[type[TerminalError]]:
    return [kind, *(inner for sub in kind.__subclasses__() for inner in _every(sub))]


# The codes of these errors, as they are stored in rows.
STOP_CODES = frozenset(kind.own_code for kind in _every(TerminalError) if kind.stops)
AWAY_CODES = frozenset({Unreachable.own_code, NoAnswer.own_code})

# The codes that are known, as the vendor spells them and programs are told, and their errors.
CODES: dict[str, type[TerminalError]] = {
    "deviceBusy": Busy,
    "faceDataModeling": Busy,
    "captureTimeout": CaptureTimeout,
    "timeout": CaptureTimeout,
    "deviceError": NobodyYet,
    "notSupport": NotSupported,
    "UnSupportCapture": CaptureNotSupported,
    "methodNotAllowed": NotSupported,
    "pictureFaceDetectZero": NoFace,
    "noFaceInPicture": NoFace,
    "PicAnalysisNoTargetError": NoFace,
    "multipleFaceObjectError": FaceRefused,
    "pupilDistanceTooSmall": SmallFace,
    "picSizeSmallError": SmallFace,
    "faceDataLenShort": SmallFace,
    "faceSizeSmall": SmallFace,
    "faceLowQulity": PoorFace,  # the terminals spell it so
    "faceLowQuality": PoorFace,
    "poorFaceQuality": PoorFace,
    "faceScoreFailure": PoorFace,
    "lowScore": PoorFace,
    "SubpicAnalysisModelingError": ModelingFailed,
    "modelingFailed": ModelingFailed,
    "PicFeaturePoints": ModelingFailed,
    "picSizeExceedError": FileTooLarge,
    "fileSizeExceedError": FileTooLarge,
    "employeeNoAlreadyExist": NumberTaken,
    "deviceUserAlreadyExist": NumberTaken,
    "employeeNoNotExist": PersonUnknown,
    "deviceUserNotExist": PersonUnknown,
    "illegalEmployeeNo": IllegalNumber,
    "notSupportCharacter": IllegalNumber,
    "deviceUserFull": Full,
    "deviceFaceFull": FacesFull,
    "faceImagesNumError": FacesFull,
    "userExceedLimit": Full,
    "faceNumFull": FacesFull,
    "cardNoAlreadyExist": CardTaken,
    "cardAlreadyExist": CardTaken,  # this one and the next: spellings that one client knows
    "cardNoConflict": CardTaken,
    "deviceCardFull": CardsFull,
    "cardFullPerUser": CardsFull,
    "supportOneMoreCard": CardsFull,
    "illegalCardNo": IllegalCard,
    "cardReaderOffline": CardReaderOffline,
    "deviceUserAlreadyExistFace": FaceRefused,
    "alreadyExistThisFace": SameFace,
    "urlDownloadFail": PictureLost,
    "URLDownloadFailed": PictureLost,
    "lowPrivilege": NoRight,
    "notActivated": Refused,
    "badAuthorization": WrongPassword,
    "rebootRequired": RestartRequired,
    "remoteDoorFunctionDisable": Refused,
}
# The same by the code of an error.
CLASSES = {code.lower(): kind for code, kind in CODES.items()}
SPELLINGS = {code.lower(): code for code in CODES}

# These errors count only from one function, because the sentence for people is about that function. From any other
# function the code is kept as the terminal's own word.
ONLY_FROM: dict[type[TerminalError], str] = {
    CaptureTimeout: "/CaptureFaceData",
    NobodyYet: "/CaptureFaceData",
    CaptureNotSupported: "/CaptureFaceData",
    NumberTaken: "/UserInfo/Record",
}
# The words of a capture of faces mean a card where a card is captured.
CARD_CAPTURE = "/CaptureCardInfo"
FROM_CARD_CAPTURE: dict[type[TerminalError] | None, type[TerminalError]] = {
    CaptureTimeout: CardTimeout,
    CaptureNotSupported: NotSupported,
}

# Whatever word the terminal has for these, the app knows them by one code.
OWN_CODE_COUNTS = LoginRefused, NotSupported, CaptureTimeout, CardTimeout
# Used when the sub-status is unknown: statusCode 2 is "Device Busy", HTTP 404 comes with notSupport.
ByNumber = dict[int | None, type[TerminalError]]
STATUS_CLASSES: ByNumber = {2: Busy, 7: RestartRequired}
HTTP_CLASSES: ByNumber = {403: NoRight, 404: NotSupported, 405: NotSupported, 501: NotSupported, 503: Busy}
# These texts go into answers, cookies and the log.
MAX_LENGTHS = {"sub_status": 64, "message": 255}

# These sub-statuses blame the syntax, but the END of errorMsg names the real problem (two recordings each).
MISLEADING: tuple[tuple[frozenset[str], re.Pattern[str], type[TerminalError]], ...] = (
    (frozenset({"badjsoncontent", "badjsonformat"}), re.compile(r"faceURL\W*\Z", re.IGNORECASE), FileTooLarge),
    (frozenset({"badjsoncontent"}), re.compile(r"employeeNo\W*\Z", re.IGNORECASE), IllegalNumber),
    (frozenset({"badjsoncontent"}), re.compile(r"\bname\W*\Z", re.IGNORECASE), NameTooLong),
)


def spelled(code: str, params: Mapping[str, Any]) -> str:
    """Return a code as programs are told it: as the vendor or, where nobody knows it, as the terminal spells it."""
    return OWN_WORD + params["word"] if "word" in params else SPELLINGS.get(code, code)


def error_for(status: ResponseStatus, http_status: int | None, path: str) -> TerminalError:
    """Return the error for a refusal: of the class of its word, else of its statusCode, else of the HTTP status.

    Args: status may be empty, where the body said nothing; path is without its query. The error keeps no more of each
    text than MAX_LENGTHS.
    """
    kind, code = _kind_and_code(status, http_status, path)  # Before the message is cut: its end may matter.
    words = asdict(status) | {name: getattr(status, name)[:longest] for name, longest in MAX_LENGTHS.items()}
    return kind(code=code, **words, path=path, http_status=http_status)


def _kind_and_code(status: ResponseStatus, http_status: int | None, path: str) -> tuple[type[TerminalError], str]:
    sub_status = status.sub_status.lower()
    for sub_statuses, field, kind in MISLEADING:
        if sub_status in sub_statuses and field.search(status.message):
            return kind, kind.own_code
    by_word = CLASSES.get(sub_status)
    if path.endswith(CARD_CAPTURE):
        by_word = FROM_CARD_CAPTURE.get(by_word, by_word)
    if by_word and path.endswith(ONLY_FROM.get(by_word, "")):
        return by_word, by_word.own_code if issubclass(by_word, OWN_CODE_COUNTS) else sub_status
    by_number = STATUS_CLASSES.get(status.status_code) or HTTP_CLASSES.get(http_status)
    if by_number:
        return by_number, by_number.own_code
    if sub_status not in {"", "ok"}:
        return Refused, (OWN_WORD + sub_status)[: MAX_LENGTHS["sub_status"]]
    return Refused, f"http_{http_status}" if http_status and http_status >= 300 else Refused.own_code
