import json
from dataclasses import replace
from typing import Any

import pytest

from hikflask.simulator import SkippingClock, Terminal, faces
from hikflask.simulator.profiles import PROFILES, SEED
from tests.simulator.conftest import Client

START = "/ISAPI/AccessControl/UserInfoDetail/Delete?format=json"
PROCESS = "/ISAPI/AccessControl/UserInfoDetail/DeleteProcess?format=json"
MODIFY = "/ISAPI/AccessControl/UserInfo/Modify?format=json"


def test_added_person_is_found_with_all_fields(client: Client) -> None:
    answer = client.add_person(gender="male", groupId=1, Valid={"enable": True, "endTime": "2037-12-31T23:59:59"})

    assert answer.get_json() == {"statusCode": 1, "statusString": "OK", "subStatusCode": "ok"}
    (person,) = client.search()["UserInfo"]
    assert (person["employeeNo"], person["name"], person["gender"]) == ("100222", "Иван Иванов", "male")
    assert (person["doorRight"], person["numOfFace"]) == ("1", 0)
    assert "faceURL" not in person


def test_number_that_exists_is_refused_and_the_person_stays(terminal: Terminal, client: Client) -> None:
    client.add_person()

    answer = client.add_person(name="Другой")

    assert answer.status_code == 400
    assert answer.get_json() == {
        "statusCode": 6,
        "statusString": "Invalid Content",
        "subStatusCode": "employeeNoAlreadyExist",
        "errorCode": 1610637344,
        "errorMsg": "checkUser",
    }
    assert terminal.people["100222"]["name"] == "Иван Иванов"


def test_modify_changes_the_given_fields_only(terminal: Terminal, client: Client) -> None:
    client.add_person(gender="male", RightPlan=[{"doorNo": 1, "planTemplateNo": "7"}])

    client.ask("PUT", MODIFY, {"UserInfo": {"employeeNo": "100222", "name": "Пётр"}})

    person = terminal.people["100222"]
    assert (person["name"], person["gender"]) == ("Пётр", "male")
    assert person["RightPlan"] == [{"doorNo": 1, "planTemplateNo": "7"}]


def test_modify_loses_rights_that_are_not_sent_where_firmware_replaces_them(
    clock: SkippingClock, client_for: type[Client]
) -> None:
    terminal = Terminal("Secret12", clock=clock, profile=replace(SEED, modify_replaces=True))
    client = client_for(terminal)
    client.add_person(gender="male")

    client.ask("PUT", MODIFY, {"UserInfo": {"employeeNo": "100222", "name": "Пётр"}})
    (lost,) = client.search()["UserInfo"]
    client.ask("PUT", MODIFY, {"UserInfo": {"employeeNo": "100222", "name": "Пётр", "doorRight": "1"}})
    (person,) = client.search()["UserInfo"]

    assert (lost["name"], lost["gender"], {"Valid", "doorRight", "RightPlan"} & lost.keys()) == ("Пётр", "male", set())
    assert (person["doorRight"], "Valid" in person) == ("1", False)


def test_modify_is_taken_by_one_method_alone(clock: SkippingClock, client_for: type[Client]) -> None:
    client = client_for(Terminal("Secret12", clock=clock, profile=replace(SEED, modify_method="POST")))
    client.add_person()

    refused, taken = (
        client.ask(method, MODIFY, {"UserInfo": {"employeeNo": "100222", "name": "Пётр"}}) for method in ("PUT", "POST")
    )

    assert (refused.status_code, refused.get_json()["subStatusCode"]) == (400, "methodNotAllowed")
    assert taken.get_json()["subStatusCode"] == "ok"


def test_fields_may_be_missing_in_a_search(clock: SkippingClock, client_for: type[Client]) -> None:
    client = client_for(Terminal("Secret12", clock=clock, profile=replace(SEED, not_in_search=frozenset({"Valid"}))))
    client.add_person()

    (person,) = client.search()["UserInfo"]

    assert ("Valid" in person, person["doorRight"]) == (False, "1")


def test_modify_of_somebody_absent_is_refused(terminal: Terminal, client: Client) -> None:
    answer = client.ask("PUT", MODIFY, {"UserInfo": {"employeeNo": "5", "name": "Пётр"}})

    assert answer.get_json()["subStatusCode"] == "employeeNoNotExist"
    assert terminal.people == {}


def test_set_up_adds_and_then_changes(terminal: Terminal, client: Client) -> None:
    path = "/ISAPI/AccessControl/UserInfo/SetUp?format=json"
    client.ask("PUT", path, {"UserInfo": {"employeeNo": "5", "name": "A"}})

    client.ask("PUT", path, {"UserInfo": {"employeeNo": "5", "name": "B"}})

    assert [person["name"] for person in terminal.people.values()] == ["B"]


def valid(**times: str) -> dict[str, Any]:
    return {"Valid": {"enable": True, "beginTime": "2025-01-01T00:00:00", "endTime": "2035-12-31T23:59:59"} | times}


@pytest.mark.parametrize(
    ("spoilt", "code", "end"),
    [
        ({"employeeNo": ""}, "badJsonContent", "employeeNo"),
        ({"employeeNo": "1" * 33}, "badJsonContent", "employeeNo"),
        ({"employeeNo": 5}, "badJsonContent", "employeeNo"),
        ({"name": "я" * 65}, "badJsonContent", "name"),
        (valid(endTime="2038-01-01T00:00:00"), "badJsonContent", "endTime"),
        (valid(endTime="2035-12-31T23:59:59Z"), "badJsonContent", "endTime"),
        (valid(beginTime="2025-01-01T00:00:00+05:00"), "badJsonContent", "beginTime"),
        (valid(beginTime="2025-02-30T00:00:00"), "badJsonContent", "beginTime"),
        (valid(endTime="2024-01-01T00:00:00"), "endtimeEarlierThanBegintime", "endtimeEarlierThanBegintime"),
        ({"Valid": "always"}, "badJsonContent", "Valid"),
    ],
)
def test_bad_field_is_refused_by_name(
    terminal: Terminal, client: Client, spoilt: dict[str, Any], code: str, end: str
) -> None:
    answer = client.add_person(**spoilt)

    assert answer.status_code == 400
    assert answer.get_json()["subStatusCode"] == code
    assert answer.get_json()["errorMsg"].endswith(end)
    assert terminal.people == {}


@pytest.mark.parametrize(("name", "taken"), [("я" * 64, True), ("x" * 128, True), ("x" * 129, False)])
def test_name_is_measured_in_bytes(terminal: Terminal, client: Client, name: str, taken: bool) -> None:
    client.add_person(name=name)

    assert bool(terminal.people) is taken


def test_full_terminal_refuses_one_more(terminal: Terminal, client: Client) -> None:
    terminal.store.capacity = 1
    client.add_person("1")

    answer = client.add_person("2")

    assert answer.get_json()["subStatusCode"] == "deviceUserFull"
    assert list(terminal.people) == ["1"]


def test_page_is_cut_to_thirty_in_silence(terminal: Terminal, client: Client) -> None:
    for number in range(83):
        terminal.store.add(str(number), {})

    first = client.search(maxResults=100)
    last = client.search(searchResultPosition=60, maxResults=30)

    assert (first["responseStatusStrg"], first["numOfMatches"], first["totalMatches"]) == ("MORE", 30, 83)
    assert (last["responseStatusStrg"], last["numOfMatches"]) == ("OK", 23)
    assert last["UserInfo"][-1]["employeeNo"] == "82"


def test_no_hit_is_no_match_without_persons(client: Client) -> None:
    client.add_person()

    answer = client.search(EmployeeNoList=[{"employeeNo": "5"}])

    assert answer == {"searchID": "a1", "responseStatusStrg": "NO MATCH", "numOfMatches": 0, "totalMatches": 0}


def test_search_by_number_finds_that_number_alone(terminal: Terminal, client: Client) -> None:
    for number in ("1", "2", "12"):
        terminal.store.add(number, {})

    answer = client.search(EmployeeNoList=[{"employeeNo": "2"}])

    assert [person["employeeNo"] for person in answer["UserInfo"]] == ["2"]


def test_enrolled_face_is_counted_and_its_address_opens_it(terminal: Terminal, client: Client) -> None:
    client.add_person()
    terminal.store.bind("100222", faces.draw("anna"))

    (person,) = client.search()["UserInfo"]

    assert person["numOfFace"] == 1
    path = person["faceURL"].removeprefix("https://192.168.1.67")
    assert path.startswith("/LOCALS/pic/enrlFace/0/0000000001.jpg@WEB")
    assert client.ask("GET", path).data == faces.draw("anna")
    count = json.loads(client.ask("GET", "/ISAPI/AccessControl/UserInfo/Count?format=json").data)["UserInfoCount"]
    assert (count["userNumber"], count["bindFaceUserNumber"]) == (1, 1)


@pytest.mark.parametrize(
    ("method", "path", "root"),
    [
        ("POST", "UserInfo/Record", "UserInfo"),
        ("PUT", "UserInfo/Modify", "UserInfo"),
        ("POST", "UserInfo/Search", "UserInfoSearchCond"),
        ("PUT", "UserInfo/Delete", "UserInfoDelCond"),
        ("PUT", "UserInfoDetail/Delete", "UserInfoDetail"),
    ],
)
def test_body_without_its_root_lacks_parameters(
    terminal: Terminal, client: Client, method: str, path: str, root: str
) -> None:
    client.add_person()

    answer = client.ask(method, f"/ISAPI/AccessControl/{path}?format=json", {"employeeNo": "100222", "name": "A"})

    assert answer.status_code == 400
    assert answer.get_json() == {
        "statusCode": 6,
        "statusString": "Invalid Content",
        "subStatusCode": "MessageParametersLack",
        "errorCode": 1610612761,
        "errorMsg": root,
    }
    assert terminal.people["100222"]["name"] == "Иван Иванов"


def test_number_that_exists_is_refused_in_another_code_by_k1t673dx(
    clock: SkippingClock, client_for: type[Client]
) -> None:
    client = client_for(Terminal("Secret12", clock=clock, profile=PROFILES["K1T673DX"]))
    client.add_person()

    answer = client.add_person().get_json()

    assert (answer["subStatusCode"], answer["errorCode"]) == ("deviceUserAlreadyExist", 1610641410)


@pytest.mark.parametrize(
    ("model", "code", "message"),
    [("K1T343EFWX", "ok", None), ("K1T343MFX", "badJsonContent", "UserInfo.Valid.endTime")],
)
def test_validity_of_no_length_is_taken_or_refused(
    clock: SkippingClock, client_for: type[Client], model: str, code: str, message: str | None
) -> None:
    terminal = Terminal("Secret12", clock=clock, profile=PROFILES[model])
    moment = "2030-01-01T00:00:00"

    answer = client_for(terminal).add_person(Valid={"enable": True, "beginTime": moment, "endTime": moment}).get_json()

    assert (answer["subStatusCode"], answer.get("errorMsg")) == (code, message)
    assert list(terminal.people) == (["100222"] if code == "ok" else [])


def test_k1a340fwx_tells_faces_and_fingers_though_it_does_not_list_them_and_no_address(
    clock: SkippingClock, client_for: type[Client]
) -> None:
    terminal = Terminal("Secret12", clock=clock, profile=PROFILES["K1A340FWX"])
    client = client_for(terminal)
    client.add_person()
    terminal.store.bind("100222", faces.draw("anna"))

    listed = client.ask("GET", "/ISAPI/AccessControl/UserInfo/capabilities?format=json").get_json()["UserInfo"]
    (person,) = client.search()["UserInfo"]

    assert (listed["UserInfoSearchCond"]["isSupportNumOfFace"], person["numOfFace"], person["numOfFP"]) == (0, 1, 0)
    assert "faceURL" not in person


def test_k1a340fwx_counts_people_alone(clock: SkippingClock, client_for: type[Client]) -> None:
    client = client_for(Terminal("Secret12", clock=clock, profile=PROFILES["K1A340FWX"]))
    client.add_person()

    answer = client.ask("GET", "/ISAPI/AccessControl/UserInfo/Count?format=json")

    assert answer.get_json() == {"UserInfoCount": {"userNumber": 1}}


@pytest.fixture
def full(terminal: Terminal, client: Client) -> Client:
    """A terminal with two persons who have faces."""
    for number in ("1", "2"):
        terminal.store.add(number, {})
        terminal.store.bind(number, faces.draw("anna"))
    return client


def detail(*numbers: str, mode: str = "byEmployeeNo") -> dict[str, Any]:
    return {"UserInfoDetail": {"mode": mode, "EmployeeNoList": [{"employeeNo": number} for number in numbers]}}


def status(client: Client) -> Any:
    return client.ask("GET", PROCESS).get_json()["UserInfoDetailDeleteProcess"]["status"]


def test_removal_takes_a_moment_and_the_face_along(terminal: Terminal, full: Client) -> None:
    full.ask("PUT", START, detail("1"))

    assert "1" in terminal.people, "it only starts"
    assert [status(full), status(full)] == ["processing", "success"]
    assert (list(terminal.people), list(terminal.faces)) == (["2"], ["2"])


def test_removal_nobody_asks_about_is_done_after_a_second(full: Client, clock: SkippingClock) -> None:
    full.ask("PUT", START, detail("1"))
    clock.advance(1)

    assert [person["employeeNo"] for person in full.search()["UserInfo"]] == ["2"]


def test_removing_somebody_absent_is_no_error(terminal: Terminal, full: Client) -> None:
    answer = full.ask("PUT", START, detail("9"))

    assert answer.get_json()["statusCode"] == 1
    assert [status(full), status(full)] == ["processing", "success"]
    assert len(terminal.people) == 2


@pytest.mark.parametrize("body", [detail(mode="all"), detail(), {"UserInfoDetail": {"mode": "byEmployeeNo"}}])
def test_mode_all_and_an_empty_list_erase_everybody(terminal: Terminal, full: Client, body: dict[str, Any]) -> None:
    full.ask("PUT", START, body)
    status(full)
    status(full)

    assert (terminal.people, terminal.faces) == ({}, {})


def test_unknown_mode_is_refused(terminal: Terminal, full: Client) -> None:
    answer = full.ask("PUT", START, detail("1", mode="byName"))

    assert answer.get_json()["subStatusCode"] == "badJsonContent"
    assert terminal.store.deletion is None


def test_older_form_removes_at_once(terminal: Terminal, full: Client) -> None:
    body = {"UserInfoDelCond": {"EmployeeNoList": [{"employeeNo": "2"}]}}

    full.ask("PUT", "/ISAPI/AccessControl/UserInfo/Delete?format=json", body)

    assert (list(terminal.people), list(terminal.faces)) == (["1"], ["1"])


def test_failed_removal_says_so_and_leaves_the_person(terminal: Terminal, full: Client) -> None:
    terminal.faults.add("removal-fails")
    full.ask("PUT", START, detail("1"))

    assert [status(full), status(full)] == ["processing", "failed"]
    assert "1" in terminal.people


def test_removal_of_a_person_is_in_the_log(terminal: Terminal, client: Client) -> None:
    client.add_person("1")

    terminal.store.remove(["1", "2"])

    assert [(record.major, record.minor, record.number) for record in terminal.events.records] == [(4, 1076, "1")]
