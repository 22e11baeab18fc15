import io
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from PIL import Image
from werkzeug.test import TestResponse

from hikflask.simulator import SEED, SkippingClock, Terminal, faces
from hikflask.simulator.profiles import PROFILES
from tests.simulator.conftest import Client

Send = Callable[[str, str, bytes], TestResponse]

ANNA, BORIS = faces.draw("anna"), faces.draw("boris")
RECORD = json.dumps({"faceLibType": "blackFD", "FDID": "1", "FPID": "100222"}).encode()
IMAGE = 'form-data; name="img"; filename="face.jpg"\r\nContent-Type: image/jpeg'
FACE_DATA_RECORD = "/ISAPI/Intelligent/FDLib/FaceDataRecord?format=json"
FD_MODIFY = "/ISAPI/Intelligent/FDLib/FDModify?format=json"


@pytest.fixture
def captured(terminal: Terminal, client: Client) -> Client:
    """100222 is on the terminal and Anna was just captured."""
    client.add_person()
    terminal.camera.store(ANNA)
    return client


def code(answer: TestResponse) -> tuple[int, str]:
    return answer.status_code, answer.get_json()["subStatusCode"]


def test_bytes_of_the_local_file_are_bound(terminal: Terminal, captured: Client) -> None:
    answer = captured.bind()

    assert answer.get_json() == {"statusCode": 1, "statusString": "OK", "subStatusCode": "ok"}
    assert terminal.faces["100222"].jpeg == ANNA


def test_another_capture_in_between_binds_the_other_face(terminal: Terminal, captured: Client) -> None:
    terminal.capture_elsewhere(BORIS)

    captured.bind()

    assert terminal.faces["100222"].jpeg == BORIS


def test_any_host_is_accepted_when_the_path_is_local(terminal: Terminal, captured: Client) -> None:
    captured.bind(faceURL="http://10.0.0.5:80/LOCALS/pic/web_face_enrollpic.jpg@WEB000000000999")

    assert terminal.faces["100222"].jpeg == ANNA


@pytest.mark.parametrize(
    ("spoilt", "expected"),
    [
        ({"number": "5"}, (400, "employeeNoNotExist")),
        ({"faceURL": "https://example.org/face.jpg"}, (400, "urlDownloadFail")),
        ({"faceURL": "https://192.168.1.67/LOCALS/pic/other.jpg"}, (400, "urlDownloadFail")),
        ({"FDID": "7"}, (400, "faceLibraryIDError")),
        ({"faceURL": None}, (400, "MessageParametersLack")),
    ],
)
def test_refused_replacement_keeps_the_old_face(
    terminal: Terminal, captured: Client, spoilt: dict[str, Any], expected: tuple[int, str]
) -> None:
    captured.bind()
    terminal.camera.store(BORIS)

    answer = captured.bind(**spoilt)

    assert code(answer) == expected
    assert {number: face.jpeg for number, face in terminal.faces.items()} == {"100222": ANNA}


def test_missing_file_is_a_failed_download(terminal: Terminal, captured: Client) -> None:
    terminal.restart()
    captured.challenge = None

    assert code(captured.bind()) == (400, "urlDownloadFail")


def test_replaced_face_keeps_its_number(terminal: Terminal, captured: Client) -> None:
    captured.bind()
    terminal.camera.store(BORIS)

    captured.bind()

    assert (terminal.faces["100222"].jpeg, terminal.faces["100222"].index) == (BORIS, 1)


def test_delete_fp_removes_the_face(terminal: Terminal, captured: Client) -> None:
    captured.bind()

    captured.bind(deleteFP=True)

    assert terminal.faces == {}
    assert "100222" in terminal.people


def test_full_library_refuses_one_more_face(terminal: Terminal, captured: Client) -> None:
    captured.bind()
    terminal.store.capacity = 1
    terminal.people["5"] = terminal.people["100222"]

    assert code(captured.bind("5")) == (400, "deviceFaceFull")


def test_seed_refuses_a_picture(terminal: Terminal, captured: Client) -> None:
    answer = captured.send_parts('form-data; name="FaceDataRecord"', RECORD, IMAGE, ANNA)

    assert code(answer) == (400, "badJsonFormat")
    assert terminal.faces == {}


@pytest.mark.parametrize(
    ("method", "path", "body", "expected"),
    [
        ("POST", "/ISAPI/Intelligent/FDLib/pictureUpload?format=json", ANNA, (404, "notSupport")),
        ("PUT", "/ISAPI/AccessControl/UserInfoDetail/Picture?format=json", ANNA, (404, "notSupport")),
        ("POST", FACE_DATA_RECORD, {"faceURL": "http://example.org/a.jpg"}, (400, "urlDownloadFail")),
        ("POST", FACE_DATA_RECORD, {"faceURL": "data:image/jpeg;base64,/9j/4AAQ"}, (400, "badJsonContent")),
        ("POST", FACE_DATA_RECORD, ANNA, (400, "badJsonFormat")),
    ],
)
def test_seed_refuses_every_other_way_to_send_a_face(
    terminal: Terminal,
    captured: Client,
    method: str,
    path: str,
    body: bytes | dict[str, str],
    expected: tuple[int, str],
) -> None:
    record = json.loads(RECORD) | body if isinstance(body, dict) else body

    answer = captured.ask(method, path, record)

    assert code(answer) == expected
    assert terminal.faces == {}


@pytest.fixture
def by_picture(clock: SkippingClock, client_for: type[Client]) -> tuple[Terminal, Client]:
    """A K1T343M, which takes pictures, with 100222 on it; the nonce limit is lifted."""
    terminal = Terminal("Secret12", clock=clock, profile=PROFILES["K1T343M"])
    terminal.login.nonce_uses = None
    client = client_for(terminal)
    client.add_person()
    return terminal, client


@pytest.mark.parametrize(
    ("record", "image"),
    [
        ('form-data; name="FaceDataRecord"', IMAGE),
        ('form-data; name="faceURL"\r\nContent-Type: application/json', 'form-data; name="FaceImage"'),
        ('form-data; name="data"; filename="data.json"', "form-data"),
    ],
)
def test_parts_are_told_apart_by_content(by_picture: tuple[Terminal, Client], record: str, image: str) -> None:
    terminal, client = by_picture

    client.send_parts(record, RECORD, image, ANNA)

    assert terminal.faces["100222"].jpeg == ANNA


def encoded(**options: Any) -> bytes:
    noise = Image.effect_noise((400, 500), 80).convert("RGB")
    stream = io.BytesIO()
    noise.save(stream, "JPEG", **options)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("picture", "expected"),
    [
        (encoded(progressive=True), "SubpicAnalysisModelingError"),
        (encoded(subsampling="4:4:4"), "SubpicAnalysisModelingError"),
        (ANNA + b"\r\n", "SubpicAnalysisModelingError"),
        (b"\r\n" + ANNA, "SubpicAnalysisModelingError"),
        (b"GIF89a" + b"0" * 2000, "SubpicAnalysisModelingError"),
        (ANNA[:800], "faceDataLenShort"),
        (ANNA[:-2] + b"0" * 200_000 + b"\xff\xd9", "badJsonContent"),
    ],
    ids=["progressive", "4:4:4", "bytes after", "bytes before", "no JPEG", "short", "over 200 KB"],
)
def test_unusable_picture_is_refused(by_picture: tuple[Terminal, Client], picture: bytes, expected: str) -> None:
    terminal, client = by_picture

    answer = client.send_parts('form-data; name="FaceDataRecord"', RECORD, IMAGE, picture)

    assert code(answer) == (400, expected)
    assert terminal.faces == {}


def test_older_way_does_not_replace(by_picture: tuple[Terminal, Client]) -> None:
    terminal, client = by_picture
    parts = ('form-data; name="FaceDataRecord"', RECORD, IMAGE)
    client.send_parts(*parts, ANNA, path=FACE_DATA_RECORD, method="POST")

    answer = client.send_parts(*parts, BORIS, path=FACE_DATA_RECORD, method="POST")

    assert code(answer) == (400, "deviceUserAlreadyExistFace")
    assert terminal.faces["100222"].jpeg == ANNA


OLDER = pytest.mark.parametrize("older", ["seed", "K1T343M"], indirect=True)


@pytest.fixture
def older(request: pytest.FixtureRequest, clock: SkippingClock, client_for: type[Client]) -> tuple[Terminal, Send]:
    """A terminal without FDSetUp, by URL or by picture, with 100222 on it, and a way to send Anna's or Boris's face."""
    profile = SEED if request.param == "seed" else PROFILES[request.param]
    functions = "post,delete,get,put"
    profile = replace(profile, set_up=False, fd_functions=functions, nonce_uses=None)
    terminal = Terminal("Secret12", clock=clock, profile=profile)
    client = client_for(terminal)
    client.add_person()

    def send(method: str, path: str, face: bytes) -> TestResponse:
        terminal.camera.store(face)
        url = "https://192.168.1.67/LOCALS/pic/web_face_enrollpic.jpg@WEB000000000020"
        record = json.dumps(json.loads(RECORD) | ({"faceURL": url} if profile.face_by_url else {})).encode()
        image = () if profile.face_by_url else (IMAGE, face)
        return client.send_parts('form-data; name="FaceDataRecord"', record, *image, path=path, method=method)

    return terminal, send


@OLDER
def test_without_set_up_a_face_is_added_by_record_and_replaced_by_modify(older: tuple[Terminal, Send]) -> None:
    terminal, send = older

    added = send("POST", FACE_DATA_RECORD, ANNA)
    first = terminal.faces["100222"]
    replaced = send("PUT", FD_MODIFY, BORIS)

    assert [code(answer) for answer in (added, replaced)] == [(200, "ok"), (200, "ok")]
    assert (first.jpeg, terminal.faces["100222"].jpeg) == (ANNA, BORIS)


@OLDER
def test_without_set_up_it_is_not_supported(older: tuple[Terminal, Send]) -> None:
    terminal, send = older

    answer = send("PUT", "/ISAPI/Intelligent/FDLib/FDSetUp?format=json", ANNA)

    assert code(answer) == (404, "notSupport")
    assert terminal.faces == {}


@OLDER
def test_record_does_not_replace_and_modify_does_not_add(older: tuple[Terminal, Send]) -> None:
    terminal, send = older

    modified = send("PUT", FD_MODIFY, ANNA)
    before = dict(terminal.faces)
    send("POST", FACE_DATA_RECORD, ANNA)
    recorded = send("POST", FACE_DATA_RECORD, BORIS)

    assert (code(modified), before) == ((400, "badParameters"), {})
    assert code(recorded) == (400, "deviceUserAlreadyExistFace")
    assert terminal.faces["100222"].jpeg == ANNA


def test_seed_knows_no_modify(captured: Client) -> None:
    captured.bind()

    answer = captured.send_parts('form-data; name="FaceDataRecord"', RECORD, path=FD_MODIFY)

    assert code(answer) == (404, "notSupport")


@pytest.mark.parametrize(("model", "taken"), [("K1T343M", True), ("K1T341CMFW", False)])
def test_set_up_by_post_works_where_firmware_accepts_both(
    clock: SkippingClock, client_for: type[Client], model: str, taken: bool
) -> None:
    terminal = Terminal("Secret12", clock=clock, profile=PROFILES[model])
    client = client_for(terminal)
    client.add_person()

    answer = client.send_parts('form-data; name="FaceDataRecord"', RECORD, IMAGE, ANNA, method="POST")

    assert code(answer) == ((200, "ok") if taken else (400, "methodNotAllowed"))
    assert ("100222" in terminal.faces) is taken


def find(client: Client, **fields: str) -> Any:
    query = {"searchResultPosition": 0, "maxResults": 30, "faceLibType": "blackFD", "FDID": "1"} | fields
    return client.ask("POST", "/ISAPI/Intelligent/FDLib/FDSearch?format=json", query).get_json()


def test_face_is_found_by_its_number(captured: Client) -> None:
    captured.bind()

    hit, miss = find(captured, FPID="100222"), find(captured, FPID="5")

    assert (hit["responseStatusStrg"], hit["totalMatches"], hit["MatchList"][0]["FPID"]) == ("OK", 1, "100222")
    assert (miss["responseStatusStrg"], miss["totalMatches"], "MatchList" in miss) == ("NO MATCH", 0, False)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("FDSearch/Delete?format=json&FDID=1&faceLibType=blackFD", {"FPID": [{"value": "100222"}]}),
        ("FDDelete?format=json", {"faceLibType": "blackFD", "FDID": "1", "FPID": "100222"}),
    ],
)
def test_one_face_is_removed_and_the_others_stay(
    terminal: Terminal, captured: Client, path: str, body: dict[str, Any]
) -> None:
    captured.add_person("5")
    captured.bind("5")
    captured.bind()

    captured.ask("PUT", f"/ISAPI/Intelligent/FDLib/{path}", body)

    assert list(terminal.faces) == ["5"]
    assert len(terminal.people) == 2


def test_empty_list_removes_all_faces(terminal: Terminal, captured: Client) -> None:
    captured.bind()

    captured.ask("PUT", "/ISAPI/Intelligent/FDLib/FDSearch/Delete?format=json&FDID=1&faceLibType=blackFD", {"FPID": []})

    assert terminal.faces == {}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"FPID": [{"value": "5"}]}, (200, "ok")),
        ({"FaceInfoDelCond": {"EmployeeNoList": [{"employeeNo": "100222"}]}}, (400, "MessageParametersLack")),
        ({}, (400, "MessageParametersLack")),
        ({"FPID": [{"employeeNo": "100222"}]}, (400, "badJsonContent")),
        ({"FPID": "100222"}, (400, "badJsonContent")),
    ],
)
def test_list_that_is_not_found_or_of_nobody_removes_no_face(
    terminal: Terminal, captured: Client, body: dict[str, Any], expected: tuple[int, str]
) -> None:
    captured.bind()

    path = "/ISAPI/Intelligent/FDLib/FDSearch/Delete?format=json&FDID=1&faceLibType=blackFD"
    answer = captured.ask("PUT", path, body)

    assert code(answer) == expected
    assert list(terminal.faces) == ["100222"]


def test_faces_are_counted(captured: Client) -> None:
    captured.bind()

    answer = captured.ask("GET", "/ISAPI/Intelligent/FDLib/Count?format=json").get_json()

    rows = answer["FDRecordDataInfo"]
    assert [(row["FDID"], row["recordDataNumber"]) for row in rows] == [("1", 1), ("2", 0)]
    assert all(row["name"] and row["faceLibType"] for row in rows)


def test_libraries_are_listed_with_their_names(captured: Client) -> None:
    answer = captured.ask("GET", "/ISAPI/Intelligent/FDLib?format=json").get_json()

    assert (answer["statusCode"], [library["FDID"] for library in answer["FDLib"]]) == (1, ["1", "2"])
    assert all(library["name"] for library in answer["FDLib"])


@pytest.mark.parametrize("path", ["FDLib", "FDLib/capabilities"])
def test_k1a340fwx_does_not_describe_its_libraries(clock: SkippingClock, client_for: type[Client], path: str) -> None:
    client = client_for(Terminal("Secret12", clock=clock, profile=PROFILES["K1A340FWX"]))

    assert code(client.ask("GET", f"/ISAPI/Intelligent/{path}?format=json")) == (404, "notSupport")


def test_functions_of_the_library_are_those_of_the_profile(clock: SkippingClock, client_for: type[Client]) -> None:
    path = "/ISAPI/Intelligent/FDLib/capabilities?format=json"
    older = Terminal("Secret12", clock=clock, profile=replace(SEED, fd_functions="post,delete,get"))

    assert client_for(older).ask("GET", path).get_json()["supportFDFunction"] == "post,delete,get"
    assert client_for(Terminal("Secret12")).ask("GET", path).get_json()["supportFDFunction"].endswith("setUp")
