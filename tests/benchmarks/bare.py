"""The same five calls with nothing around them: what an enrolment costs at least."""

import json
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.auth import HTTPDigestAuth

from tests.benchmarks.simulated import USER, Simulated, pinned_session

ACCESS = "/ISAPI/AccessControl"
SET_UP = "/ISAPI/Intelligent/FDLib/FDSetUp?format=json"
SECONDS = 20
VALID = {
    "enable": True,
    "beginTime": "2000-01-01T00:00:00",
    "endTime": "2037-12-31T23:59:59",
    "timeType": "local",
}


class Bare:
    """A requests.Session with Digest, kept open as the app keeps its own."""

    def __init__(self, terminal: Simulated) -> None:
        self._url = terminal.url
        self._http = pinned_session(terminal.fingerprint)
        self._http.auth = HTTPDigestAuth(USER, terminal.password)

    def enrol(self, number: str, name: str, face_url: str) -> None:
        """Person, picture, face, picture, search; any status but 200 is raised, nothing else is looked at."""
        self._json("POST", f"{ACCESS}/UserInfo/Record?format=json", {"UserInfo": _person(number, name)})
        self._picture(face_url)
        record = {"faceLibType": "blackFD", "FDID": "1", "FPID": number, "faceURL": face_url}
        self._ask("PUT", SET_UP, files={"FaceDataRecord": (None, json.dumps(record))})
        self._picture(face_url)
        self._search(number)

    def enrol_picture(self, number: str, name: str, picture: bytes) -> None:
        """Person, face by picture, search: what an enrolment takes on a terminal that takes pictures."""
        self._json("POST", f"{ACCESS}/UserInfo/Record?format=json", {"UserInfo": _person(number, name)})
        record = json.dumps({"faceLibType": "blackFD", "FDID": "1", "FPID": number})
        parts = {"FaceDataRecord": (None, record, "application/json"), "img": ("face.jpg", picture, "image/jpeg")}
        self._ask("PUT", SET_UP, files=parts)
        self._search(number)

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def _search(self, number: str) -> None:
        wish = {
            "searchID": number,
            "searchResultPosition": 0,
            "maxResults": 30,
            "EmployeeNoList": [{"employeeNo": number}],
        }
        self._json("POST", f"{ACCESS}/UserInfo/Search?format=json", {"UserInfoSearchCond": wish})

    def _picture(self, face_url: str) -> None:
        self._ask("GET", urlsplit(face_url).path)

    def _json(self, method: str, path: str, body: dict[str, Any]) -> None:
        self._ask(method, path, json=body)

    def _ask(self, method: str, path: str, **what: Any) -> requests.Response:
        answer = self._http.request(method, self._url + path, timeout=SECONDS, **what)
        answer.raise_for_status()
        return answer


def _person(number: str, name: str) -> dict[str, Any]:
    return {
        "employeeNo": number,
        "name": name,
        "userType": "normal",
        "Valid": VALID,
        "doorRight": "1",
        "RightPlan": [{"doorNo": 1, "planTemplateNo": "1"}],
        "gender": "unknown",
        "groupId": 1,
    }
