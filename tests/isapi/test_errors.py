"""One refusal, one class."""

import csv
import pickle

import pytest

from hikflask.isapi import errors
from hikflask.isapi.answer import ResponseStatus
from hikflask.isapi.errors import TerminalError, error_for, spelled

from .helpers import RECORDINGS

# The rows of the wording table: what people are told for these codes must come from one class each.
WORDED = {
    errors.CaptureTimeout: ["captureTimeout", "timeOut"],
    errors.NobodyYet: ["deviceError"],
    errors.Busy: ["deviceBusy", "faceDataModeling"],
    errors.NotSupported: ["notSupport", "methodNotAllowed"],
    errors.CaptureNotSupported: ["UnSupportCapture"],
    errors.FaceRefused: ["multipleFaceObjectError", "deviceUserAlreadyExistFace"],
    errors.NoFace: ["pictureFaceDetectZero", "noFaceInPicture", "PicAnalysisNoTargetError"],
    errors.SmallFace: ["pupilDistanceTooSmall", "picSizeSmallError", "faceDataLenShort", "faceSizeSmall"],
    errors.PoorFace: ["faceLowQulity", "poorFaceQuality", "faceScoreFailure", "lowScore"],
    errors.ModelingFailed: ["SubpicAnalysisModelingError", "modelingFailed", "PicFeaturePoints"],
    errors.FileTooLarge: ["picSizeExceedError", "fileSizeExceedError"],
    errors.NumberTaken: ["employeeNoAlreadyExist", "deviceUserAlreadyExist"],
    errors.PersonUnknown: ["employeeNoNotExist", "deviceUserNotExist"],
    errors.IllegalNumber: ["illegalEmployeeNo", "notSupportCharacter"],
    errors.Full: ["deviceUserFull", "userExceedLimit"],
    errors.FacesFull: ["deviceFaceFull", "faceImagesNumError", "faceNumFull"],
    errors.CardTaken: ["cardNoAlreadyExist", "cardAlreadyExist", "cardNoConflict"],
    errors.CardsFull: ["deviceCardFull", "cardFullPerUser", "supportOneMoreCard"],
    errors.IllegalCard: ["illegalCardNo"],
    errors.CardReaderOffline: ["cardReaderOffline"],
    errors.SameFace: ["alreadyExistThisFace"],
    errors.PictureLost: ["urlDownloadFail", "URLDownloadFailed"],
    errors.NoRight: ["lowPrivilege"],
    errors.Refused: ["notActivated"],
    errors.RestartRequired: ["rebootRequired"],
}
BY_CODE = {code: kind for kind, codes in WORDED.items() for code in codes}

with (RECORDINGS / "error_codes.csv").open(encoding="utf-8", newline="") as table:
    OFFICIAL = [row for row in csv.DictReader(table) if row["statusCode"] != "1"]


def refused(sub_status: str, message: str = "", http_status: int = 400, status_code: int | None = 6) -> TerminalError:
    path = "/ISAPI" + errors.ONLY_FROM.get(BY_CODE.get(sub_status, TerminalError), "/x")
    return error_for(ResponseStatus(status_code, sub_status, message), http_status, path)


@pytest.mark.parametrize(("code", "kind"), BY_CODE.items())
def test_each_worded_code_has_its_class_and_keeps_the_terminals_words(code: str, kind: type[TerminalError]) -> None:
    error = refused(code, "checkUser")
    assert type(error) is kind
    worded = kind.own_code if issubclass(kind, errors.NotSupported | errors.CaptureTimeout) else code.lower()
    assert (error.code, error.sub_status, error.message) == (worded, code, "checkUser")
    assert (error.status_code, error.path, error.http_status) == (6, "/ISAPI" + errors.ONLY_FROM.get(kind, "/x"), 400)


@pytest.mark.parametrize("row", OFFICIAL, ids=lambda row: f"{row['statusCode']}-{row['subStatusCode']}")
def test_each_official_code_is_a_refusal_of_the_expected_class(row: dict[str, str]) -> None:
    error = refused(row["subStatusCode"], status_code=int(row["statusCode"]))
    expected = {"badAuthorization": errors.WrongPassword, **BY_CODE}.get(row["subStatusCode"], errors.Refused)
    assert type(error) is expected
    assert error.sub_status == row["subStatusCode"]


@pytest.mark.parametrize(
    ("sub_status", "message", "kind"),
    [
        ("badJsonContent", "faceURL", errors.FileTooLarge),
        ("badJsonFormat", "JsonContent faceURL", errors.FileTooLarge),
        ("badJsonContent", "UserInfo.employeeNo", errors.IllegalNumber),
        ("badJsonContent", "UserInfo, name", errors.NameTooLong),
        ("badJsonContent", "employeeNo is fine, userName", errors.Refused),
        ("badJsonFormat", "employeeNo", errors.Refused),
        ("badJsonContent", "faceURL: FDID", errors.Refused),
    ],
)
def test_a_syntax_refusal_is_read_by_the_field_at_its_end(sub_status: str, message: str, kind: type) -> None:
    error = refused(sub_status, message)
    assert type(error) is kind
    assert error.sub_status == sub_status
    assert error.code == (f"terminal:{sub_status.lower()}" if kind is errors.Refused else kind.own_code)


@pytest.mark.parametrize("ours", ["captured", "no_worker", "used", "wrong_password", "unreachable", "http_404"])
def test_a_terminals_own_word_is_none_of_our_codes(ours: str) -> None:
    assert (refused(ours).code, type(refused(ours))) == (f"terminal:{ours}", errors.Refused)


@pytest.mark.parametrize(
    "sub_status", ["captureTimeout", "timeOut", "deviceError", "UnSupportCapture", "employeeNoAlreadyExist"]
)
@pytest.mark.parametrize("function", ["UserInfo/Search", "FDLib/FDSetUp"])
def test_what_one_function_alone_says_is_a_terminals_own_word_from_another(sub_status: str, function: str) -> None:
    error = error_for(ResponseStatus(6, sub_status), 400, f"/ISAPI/{function}")
    assert (type(error), error.code) == (errors.Refused, f"terminal:{sub_status.lower()}")
    assert spelled(error.code, error.params) == f"terminal:{sub_status}"


@pytest.mark.parametrize("sub_status", ["captureTimeout", "timeOut"])
def test_a_capture_of_a_card_that_timed_out_saw_no_card(sub_status: str) -> None:
    error = error_for(ResponseStatus(3, sub_status), 400, "/ISAPI/AccessControl/CaptureCardInfo")
    assert (type(error), error.code, error.sub_status) == (errors.CardTimeout, "card_timeout", sub_status)


@pytest.mark.parametrize(
    ("path", "function"),
    [
        ("/ISAPI/System/deviceInfo", "System/deviceInfo"),
        ("/ISAPI/AccessControl/UserInfo/Count", "UserInfo/Count"),
        ("/ISAPI/Intelligent/FDLib/FDSetUp", "FDLib/FDSetUp"),
    ],
)
def test_what_is_not_supported_is_named(path: str, function: str) -> None:
    error = error_for(ResponseStatus(4, "notSupport"), 404, path)
    assert (error.code, error.params["text"]) == ("function_not_supported", function)


@pytest.mark.parametrize(
    ("sub_status", "message", "about_form"),
    [
        ("SubpicAnalysisModelingError", "PicFeaturePoints", True),
        ("PicFeaturePoints", "", True),
        ("SubpicAnalysisModelingError", "saveFacePic", False),
    ],
)
def test_a_picture_without_feature_points_may_not_have_been_found(
    sub_status: str, message: str, about_form: bool
) -> None:
    error = refused(sub_status, message)
    assert isinstance(error, errors.ModelingFailed)
    assert error.may_be_about_form is about_form


@pytest.mark.parametrize("said", ["DEVICEBUSY", "deviceBusy"])
def test_code_is_matched_whatever_its_case_and_told_to_programs_as_the_vendor_spells_it(said: str) -> None:
    error = refused(said)
    assert (type(error), error.code) == (errors.Busy, "devicebusy")
    assert spelled(error.code, error.params) == "deviceBusy"


@pytest.mark.parametrize(
    ("http_status", "kind", "code"),
    [
        (403, errors.NoRight, "lowprivilege"),
        (404, errors.NotSupported, "function_not_supported"),
        (405, errors.NotSupported, "function_not_supported"),
        (503, errors.Busy, "devicebusy"),
        (500, errors.Refused, "http_500"),
    ],
)
def test_without_an_envelope_the_http_status_decides(http_status: int, kind: type, code: str) -> None:
    error = error_for(ResponseStatus(), http_status, "/ISAPI/x")
    assert (type(error), error.code) == (kind, code)


def test_the_terminals_own_code_goes_before_the_http_status() -> None:
    assert type(refused("notSupport", http_status=403)) is errors.NotSupported


def test_status_code_two_is_busy_whatever_the_sub_status() -> None:
    error = refused("somethingNew", status_code=2)
    assert (type(error), error.code) == (errors.Busy, "devicebusy")


def test_only_what_passes_by_itself_is_retryable() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, TerminalError)]
    assert {kind for kind in kinds if kind.retryable} == {errors.Unreachable, errors.NoAnswer, errors.Busy}


def test_an_error_survives_a_queue() -> None:
    error = errors.AccountLocked(unlock_seconds=111, path="/ISAPI/x", http_status=401)
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), copy.unlock_seconds, copy.code, copy.path) == (errors.AccountLocked, 111, "locked", "/ISAPI/x")


def test_an_error_reads_as_code_path_and_message() -> None:
    assert str(refused("deviceBusy", "dataType")) == "devicebusy /ISAPI/x dataType"
