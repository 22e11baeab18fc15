import pytest

from hikflask.simulator import faces

START = "/ISAPI/AccessControl/UserInfoDetail/Delete?format=json"
PROCESS = "/ISAPI/AccessControl/UserInfoDetail/DeleteProcess?format=json"


@pytest.fixture
def full(terminal, talk):
    """A terminal with two persons who have faces."""
    for number in ("1", "2"):
        terminal.register.add(number, {})
        terminal.register.bind(number, faces.draw("anna"))
    return talk


def detail(*numbers, mode="byEmployeeNo"):
    return {"UserInfoDetail": {"mode": mode, "EmployeeNoList": [{"employeeNo": number} for number in numbers]}}


def status(talk):
    return talk.ask("GET", PROCESS).get_json()["UserInfoDetailDeleteProcess"]["status"]


def test_removal_takes_a_moment_and_the_face_along(terminal, full):
    full.ask("PUT", START, detail("1"))

    assert "1" in terminal.people, "it only starts"
    assert [status(full), status(full)] == ["processing", "success"]
    assert (list(terminal.people), list(terminal.faces)) == (["2"], ["2"])


def test_removal_nobody_asks_about_is_done_after_a_second(full, clock):
    full.ask("PUT", START, detail("1"))
    clock.advance(1)

    assert [person["employeeNo"] for person in full.search()["UserInfo"]] == ["2"]


def test_removing_somebody_absent_is_no_error(terminal, full):
    answer = full.ask("PUT", START, detail("9"))

    assert answer.get_json()["statusCode"] == 1
    assert [status(full), status(full)] == ["processing", "success"]
    assert len(terminal.people) == 2


@pytest.mark.parametrize("body", [detail(mode="all"), detail(), {"UserInfoDetail": {"mode": "byEmployeeNo"}}])
def test_mode_all_and_an_empty_list_erase_everybody(terminal, full, body):
    full.ask("PUT", START, body)
    status(full)
    status(full)

    assert (terminal.people, terminal.faces) == ({}, {})


def test_unknown_mode_is_refused(terminal, full):
    answer = full.ask("PUT", START, detail("1", mode="byName"))

    assert answer.get_json()["subStatusCode"] == "badJsonContent"
    assert terminal.register.deletion is None


def test_older_form_removes_at_once(terminal, full):
    body = {"UserInfoDelCond": {"EmployeeNoList": [{"employeeNo": "2"}]}}

    full.ask("PUT", "/ISAPI/AccessControl/UserInfo/Delete?format=json", body)

    assert (list(terminal.people), list(terminal.faces)) == (["1"], ["1"])


def test_failed_removal_says_so_and_leaves_the_person(terminal, full):
    terminal.faults.add("removal-fails")
    full.ask("PUT", START, detail("1"))

    assert [status(full), status(full)] == ["processing", "failed"]
    assert "1" in terminal.people
