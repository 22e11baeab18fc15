"""Every recorded reply, played to the client under its own request: what comes out is English, or the right refusal."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import pytest

from hikflask.isapi import access_config, capture, card_capture, cards, device, door, faces, persons
from hikflask.isapi.client import Answer
from hikflask.isapi.codec import checked, login_refusal
from hikflask.isapi.digest import best_challenge
from hikflask.isapi.errors import AccountLocked, CaptureTimeout, NotSupported, TerminalError, WrongPassword
from tests.isapi.helpers import RECORDINGS, Prepared, answer, recorded

INDEX = json.loads(recorded("seed_terminal/index.json"))
URL = "https://192.168.1.67/LOCALS/pic/web_face_enrollpic.jpg@WEB000000000020"
ACCESS = "/ISAPI/AccessControl"
BLANKED = "0" * 32  # number and name of everybody in the recorded list
DECADE = persons.Validity(datetime.fromisoformat("2025-01-01"), datetime.fromisoformat("2035-12-31T23:59:59"))


class Replay:
    """A Requester that answers a recorded request, by method and path, with its recorded reply."""

    def __init__(self) -> None:
        self.asked: set[tuple[str, str]] = set()

    def request(self, method: str, path: str, **_: object) -> Answer:
        plain = urlsplit(path).path
        entry = next(entry for entry in INDEX if (entry["method"], urlsplit(entry["path"]).path) == (method, plain))
        self.asked.add((method, plain))
        body = recorded(f"seed_terminal/{entry['response_file']}")
        return Answer(entry["status"], entry["response_headers"]["Content-Type"], body, plain)


def take(client: Replay) -> object:
    return capture.take(client, modes=("url",), seconds_left=lambda: 5.0, cancelled=lambda: False).face_url


ASKED: dict[tuple[str, str], tuple[Callable[[Replay], object], object]] = {
    ("GET", f"{ACCESS}/CaptureFaceData/capabilities"): (capture.capabilities, capture.CaptureModes(True, True, True)),
    ("GET", "/ISAPI/Intelligent/FDLib/capabilities"): (lambda client: device.face_library(client).capacity, 1500),
    ("POST", f"{ACCESS}/CaptureFaceData"): (take, URL),
    ("POST", f"{ACCESS}/UserInfo/Record"): (
        lambda client: persons.add(client, "3242", "Иван", begin=persons.FIRST_MOMENT),
        None,
    ),
    ("PUT", "/ISAPI/Intelligent/FDLib/FDSetUp"): (lambda client: faces.bind_url(client, "3242", URL), None),
    ("POST", f"{ACCESS}/UserInfo/Search"): (
        lambda client: persons.find(client, BLANKED),
        persons.TerminalPerson(
            BLANKED, BLANKED, 0, None, DECADE, 0, 0, doors="1", plans=((1, "1"),), user_type="normal"
        ),
    ),
    ("GET", f"{ACCESS}/AcsWorkStatus"): (door.state, door.DoorState(door.LOCKED, door.NORMAL, "")),
    ("GET", f"{ACCESS}/AcsCfg"): (lambda client: access_config.switches(client)["saveVerificationPic"], True),
    ("GET", f"{ACCESS}/UserInfo/Count"): (persons.count, persons.Count(people=12, faces=3)),
    ("GET", f"{ACCESS}/CardInfo/capabilities"): (
        cards.capabilities,
        cards.CardLimits(3000, 50, 1, 20, frozenset({"post", "delete", "put", "get", "setup"})),
    ),
    ("GET", f"{ACCESS}/capabilities"): (card_capture.can_capture, True),
}
NEVER_ASKED = {
    ("GET", f"{ACCESS}/PersonAndCardComparison/DeviceWorkMode"),
    ("GET", f"{ACCESS}/CaptureFingerPrint/capabilities"),
    ("GET", f"{ACCESS}/AcsCfg/capabilities"),
    ("GET", f"{ACCESS}/FaceRecognizeMode"),
    ("GET", f"{ACCESS}/CaptureCardInfo/capabilities"),
    ("GET", f"{ACCESS}/FingerPrintCfg/capabilities"),
    ("GET", f"{ACCESS}/userAndRightShow"),
    ("GET", f"{ACCESS}/Door/param/1/capabilities"),
    ("GET", f"{ACCESS}/IDBlackListCfg/capabilities"),
    ("GET", f"{ACCESS}/UserInfoDetail/Delete/capabilities"),
    ("GET", "/ISAPI/Security/token"),
    ("PUT", "/ISAPI/Security/sessionHeartbeat"),
}


@pytest.mark.parametrize("request_line", ASKED, ids=" ".join)
def test_recorded_reply_is_understood(request_line: tuple[str, str]) -> None:
    ask, expected = ASKED[request_line]
    client = Replay()

    found = ask(client)

    assert found == expected
    assert client.asked == {request_line}


@pytest.mark.parametrize("entry", INDEX, ids=lambda entry: entry["path"])
def test_verdict_of_every_recorded_reply_is_read(entry: dict[str, Any]) -> None:
    reply = Replay().request(entry["method"], urlsplit(entry["path"]).path)

    if entry["status"] == 200:
        assert checked(reply) is reply
        return
    with pytest.raises(NotSupported) as refused:
        checked(reply)
    assert (refused.value.sub_status, refused.value.http_status) == ("notSupport", 404)


def test_every_recorded_request_is_asked_or_known_not_to_be() -> None:
    recorded_requests = {(entry["method"], urlsplit(entry["path"]).path) for entry in INDEX}

    assert recorded_requests == set(ASKED) | NEVER_ASKED


def timed_out(body: bytes) -> object:
    with pytest.raises(CaptureTimeout) as refused:
        take_from(answer(body, 400, "application/xml"))
    return refused.value.sub_status


def take_from(reply: Answer) -> object:
    client = Prepared(reply)
    return capture.take(client, modes=("binary",), seconds_left=lambda: 5.0, cancelled=lambda: False)


def refused_login(body: bytes) -> TerminalError:
    return login_refusal(answer(body, 401, "application/xml"))


def locked(body: bytes) -> object:
    refusal = refused_login(body)
    assert isinstance(refusal, AccountLocked)
    return refusal.unlock_seconds


def not_locked(body: bytes) -> object:
    refusal = refused_login(body)
    assert isinstance(refusal, WrongPassword)
    return refusal.tries_left


def page_of_people(body: bytes) -> object:
    """The page says MORE: the client asks on from where it ended."""
    rest = {"responseStatusStrg": "OK", "totalMatches": 7, "UserInfo": [{"employeeNo": "8"}, {"employeeNo": "9"}]}
    client = Prepared(answer(body), answer(json.dumps({"UserInfoSearch": rest}).encode()))
    assert persons.find(client, "100222") is None
    wish = json.loads(client.sent[1].data or b"")["UserInfoSearchCond"]
    found = persons.find(Prepared(answer(body)), "REDACTED_EMP")
    return found and found.faces, wish["searchResultPosition"]


OTHERS: dict[str, tuple[Callable[[bytes], object], object]] = {
    "capture_timeout_400_K1T342MX-E1.xml": (timed_out, "captureTimeout"),
    "deviceinfo_K1T341CMFW.xml": (lambda body: device.info(Prepared(answer(body))).model, "DS-K1T341CMFW"),
    "locked_401_K1T342MWX.xml": (locked, 111),
    "userinfo_capabilities_K1A340FWX.json": (
        lambda body: device.person_limits(Prepared(answer(body))).name_bytes,
        128,
    ),
    "userinfo_search_K1T342MWX.json": (page_of_people, (1, 5)),
    "wrong_password_401_K1T342MWX.xml": (not_locked, 4),
    "www_authenticate_K1T342MWX.txt": (lambda body: getattr(best_challenge(body.decode()), "realm", ""), "DS-6E392E44"),
}


@pytest.mark.parametrize("file", sorted(path.name for path in (RECORDINGS / "other_terminals").iterdir()))
def test_recording_of_another_terminal_is_understood(file: str) -> None:
    read, expected = OTHERS[file]

    assert read(recorded(f"other_terminals/{file}")) == expected
