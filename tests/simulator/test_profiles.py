import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

import pytest

from hikflask.simulator import SEED, Profile, SkippingClock, Terminal, faces
from hikflask.simulator.profiles import PROFILES, profile_named
from tests.simulator.conftest import Client

Play = Callable[[str], tuple[Terminal, Client]]

ANNA = faces.draw("anna")
RECORD = json.dumps({"faceLibType": "blackFD", "FDID": "1", "FPID": "1"}).encode()
IMAGE = 'form-data; name="img"; filename="face.jpg"\r\nContent-Type: image/jpeg'
TYPED = 'form-data; name="FaceDataRecord"\r\nContent-Type: application/json'
UNTYPED = 'form-data; name="FaceDataRecord"'


@pytest.fixture
def play(clock: SkippingClock, client_for: type[Client]) -> Play:
    """Play a model: the terminal, and a client whose nonces live for ever."""

    def start(model: str) -> tuple[Terminal, Client]:
        terminal = Terminal("Secret12", clock=clock, profile=PROFILES[model])
        terminal.login.nonce_uses = None
        return terminal, client_for(terminal)

    return start


@pytest.mark.parametrize("name", ["DS-K1T343M", "ds-k1t343m", "K1T343M", "k1t343m"])
def test_model_is_found_under_any_spelling(name: str) -> None:
    assert profile_named(name).model == "DS-K1T343M"


def test_unknown_model_names_the_known_ones() -> None:
    with pytest.raises(KeyError, match="K1T341CMFW"):
        profile_named("K1T999")


def test_device_info_tells_model_and_firmware(play: Play) -> None:
    for model, profile in PROFILES.items():
        _, client = play(model)

        root = ElementTree.fromstring(client.ask("GET", "/ISAPI/System/deviceInfo").data)

        assert root.findtext("{*}model") == profile.model == f"DS-{model}"
        assert root.findtext("{*}firmwareVersion") == profile.firmware, model


def test_every_type_offered_can_be_captured_unless_the_model_is_known_to_refuse_it(
    play: Play, clock: SkippingClock
) -> None:
    for model, profile in PROFILES.items():
        terminal, client = play(model)
        capabilities = client.ask("GET", "/ISAPI/AccessControl/CaptureFaceData/capabilities").text
        offered = re.findall(r'<dataType opt="([\w,]+)"', capabilities)[0].split(",")

        for kind in ("url", "binary"):
            clock.advance(10)
            terminal.camera.file = None
            terminal.present(ANNA)
            answer = client.capture(kind)

            takes = kind in offered and kind not in profile.refused_capture_types
            assert (terminal.file == ANNA) is takes, f"{model} {kind}"
            assert ("badParameters" in answer.get_data().decode("latin-1")) is not takes, f"{model} {kind}"
            terminal.camera.leave()


def test_k1t341cmfw_puts_the_boundary_into_the_body_only(play: Play) -> None:
    terminal, client = play("K1T341CMFW")
    terminal.present(ANNA)

    answer = client.capture("binary")

    assert "boundary" not in answer.headers["Content-Type"]
    start = (
        rb"Content-Type:multipart/form-data;boundary=MIME_boundary\r\nContent-Length:(\d+)\r\n\r\n--MIME_boundary\r\n"
    )
    start += rb'Content-Type:application/xml;charset="UTF-8"\r\nContent-Length:\d+\r\n\r\n<CaptureFaceData '
    match = re.match(start, answer.data)
    assert match
    assert int(match[1]) == len(answer.data) - answer.data.index(b"--MIME_boundary")
    assert b"\r\n\r\n--MIME_boundary" not in answer.data[match.end() :], "one blank line at most before a boundary"
    picture = b'name="FaceData";filename="FaceData.jpg"\r\nContent-Type:image/jpeg\r\n'
    assert picture in answer.data
    assert answer.data.endswith(b"\r\n\r\n" + ANNA + b"\r\n--MIME_boundary--\r\n")


@pytest.mark.parametrize(
    ("model", "content_type", "start"),
    [
        ("K1T343M", "application/xml", b"--MIME_boundary"),
        ("K1T341AMF", "image/jpeg", b"\xff\xd8\xff"),
        ("K1T342MX-E1", "multipart/form-data;boundary=MIME_boundary", b"--MIME_boundary"),
        ("K1T342MFWX-E1", "multipart/form-data", b"--MIME_boundary"),
    ],
)
def test_dialects_of_the_binary_reply(play: Play, model: str, content_type: str, start: bytes) -> None:
    terminal, client = play(model)
    terminal.present(ANNA)

    answer = client.capture("binary")

    assert answer.headers["Content-Type"] == content_type
    assert answer.data.startswith(start)
    assert ANNA in answer.data


def test_parts_can_come_without_names(play: Play) -> None:
    terminal, client = play("K1T342MFX-E1")
    terminal.present(ANNA)

    assert b'form-data;filename="FaceData.jpg"' in client.capture("binary").data


@pytest.mark.parametrize(
    ("model", "seconds", "status", "text"),
    [
        ("K1T343EFWX", 3, 200, "<captureProgress>0<"),
        ("K1T341CMFW", 6, 200, "<captureProgress>0<"),
        ("K1T673DX", 0, 200, "<captureProgress>0<"),
        ("K1T342MX-E1", 17, 400, "<subStatusCode>captureTimeout<"),
        ("K1T320MWX", 3, 400, "<subStatusCode>deviceError<"),
    ],
)
def test_nobody_there(play: Play, clock: SkippingClock, model: str, seconds: int, status: int, text: str) -> None:
    _, client = play(model)

    answer = client.capture("binary")

    assert (answer.status_code, text in answer.text) == (status, True)
    assert clock.now() == pytest.approx(seconds)


def in_form_of(profile: Profile) -> tuple[str, bytes, str, bytes]:
    """The parts of a picture in the form that the model takes."""
    typed, image = TYPED, IMAGE.replace("img", profile.picture_part or "img")
    if profile.part_lengths:
        typed, image = f"{typed}\r\nContent-Length: {len(RECORD)}", f"{image}\r\nContent-Length: {len(ANNA)}"
    return typed, RECORD, image, ANNA


def test_all_models_but_the_seed_take_the_picture(play: Play) -> None:
    for model in PROFILES.keys() - {"K1T343EFWX"}:
        terminal, client = play(model)
        client.add_person("1")

        answer = client.send_parts(*in_form_of(PROFILES[model]))

        assert answer.get_json()["statusCode"] == 1, model
        assert terminal.faces["1"].jpeg == ANNA, model


@pytest.mark.parametrize(
    ("model", "spoilt"), [("K1T342MFX-E1", {"part_lengths": False}), ("K1T673DX", {"picture_part": "img"})]
)
def test_picture_in_another_form_is_not_found(play: Play, model: str, spoilt: dict[str, Any]) -> None:
    terminal, client = play(model)
    client.add_person("1")

    answer = client.send_parts(*in_form_of(replace(PROFILES[model], **spoilt)))

    assert answer.get_json()["subStatusCode"] == "SubpicAnalysisModelingError"
    assert answer.get_json()["errorMsg"] == "PicFeaturePoints"
    assert terminal.faces == {}


@pytest.mark.parametrize("parts", [(UNTYPED, RECORD, IMAGE, ANNA), (IMAGE, ANNA, TYPED, RECORD)])
def test_strict_terminal_wants_typed_json_first(play: Play, parts: tuple[str | bytes, ...]) -> None:
    terminal, client = play("K1T342MFWX-E1")
    client.add_person("1")

    answer = client.send_parts(*parts)

    assert answer.get_json()["subStatusCode"] == "badJsonFormat"
    assert terminal.faces == {}


def test_k1t341amf_takes_an_external_url_that_the_test_serves(play: Play) -> None:
    terminal, client = play("K1T341AMF")
    terminal.web["http://photos.example/1.jpg"] = ANNA
    client.add_person("1")

    client.bind("1", faceURL="http://photos.example/1.jpg")

    assert terminal.faces["1"].jpeg == ANNA


@pytest.mark.parametrize("number", ["100-222", "100_222", "табель"])
def test_k1t342mx_takes_letters_and_digits_only(play: Play, number: str) -> None:
    terminal, client = play("K1T342MX-E1")

    answer = client.add_person(number)

    assert answer.get_json()["errorMsg"].endswith("employeeNo")
    assert terminal.people == {}


def test_short_name_limit_is_announced_and_kept(play: Play) -> None:
    terminal, client = play("K1T341CMFW")
    path = "/ISAPI/AccessControl/UserInfo/capabilities?format=json"

    limit = client.ask("GET", path).get_json()["UserInfo"]["name"]["@max"]
    client.add_person("1", name="x" * 33)

    assert (limit, terminal.people) == (32, {})


def test_old_terminal_tells_no_number_of_faces_but_finds_them(play: Play) -> None:
    terminal, client = play("K1T341CMFW")
    client.add_person("1")
    terminal.store.bind("1", ANNA)

    (person,) = client.search()["UserInfo"]
    query = {"searchResultPosition": 0, "maxResults": 30, "faceLibType": "blackFD", "FDID": "1", "FPID": "1"}
    found = client.ask("POST", "/ISAPI/Intelligent/FDLib/FDSearch?format=json", query).get_json()

    assert "numOfFace" not in person
    assert found["totalMatches"] == 1


@pytest.mark.parametrize(("model", "status"), [("K1T343EFWX", 404), ("K1T320MWX", 403), ("K1T341AMF", 200)])
def test_unknown_function_is_not_supported(play: Play, model: str, status: int) -> None:
    _, client = play(model)

    answer = client.ask("GET", "/ISAPI/System/coffee?format=json")

    assert (answer.status_code, answer.get_json()["subStatusCode"]) == (status, "notSupport")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "AccessControl/FaceInfo/Search", 200),
        ("GET", "AccessControl/FaceInfo/Count", 404),
        ("GET", "AccessControl/UserInfo/Search", 404),
        ("GET", "System/status", 404),
    ],
)
def test_k1a340fwx_does_not_support_an_unknown_post_with_http_200_and_the_rest_with_404(
    play: Play, method: str, path: str, status: int
) -> None:
    _, client = play("K1A340FWX")

    answer = client.ask(method, f"/ISAPI/{path}?format=json")

    assert (answer.status_code, answer.get_json()["subStatusCode"]) == (status, "notSupport")


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_missing_function_is_not_supported_and_the_others_are(
    clock: SkippingClock, client_for: type[Client], method: str
) -> None:
    terminal = Terminal("Secret12", clock=clock, profile=replace(SEED, missing=frozenset({"System/time"})))
    client = client_for(terminal)

    answer = client.ask(method, "/ISAPI/System/time?format=json")

    assert (answer.status_code, answer.get_json()["subStatusCode"]) == (404, "notSupport")
    assert client.ask("GET", "/ISAPI/System/status").status_code == 200


@pytest.mark.parametrize(("model", "challenged"), [("K1T342MX-E1", True), ("K1T342MFWX-E1", False)])
def test_nonce_that_died_after_30_seconds_is_answered_with_or_without_a_challenge(
    clock: SkippingClock, client_for: type[Client], model: str, challenged: bool
) -> None:
    client = client_for(Terminal("Secret12", clock=clock, profile=PROFILES[model]))
    path = "/ISAPI/System/status"
    first = client.ask("GET", path)
    clock.advance(30)

    answer = client.ask("GET", path)

    assert (first.status_code, answer.status_code) == (200, 401)
    assert ("WWW-Authenticate" in answer.headers) is challenged
