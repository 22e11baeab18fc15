import json
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hikflask.simulator import SEED, SkippingClock, Terminal, faces
from hikflask.simulator.event_traps import EventTraps
from hikflask.simulator.terminal.clocks import WallClock
from tests.simulator.conftest import Client

Ask = Callable[..., tuple[int, Any]]

SEARCH = "/ISAPI/AccessControl/AcsEvent?format=json"
CAPABILITIES = "/ISAPI/AccessControl/AcsEvent/capabilities?format=json"
TOTAL = "/ISAPI/AccessControl/AcsEventTotalNum?format=json"
NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
WINDOW = {"startTime": "2026-11-30T00:00:00+03:00", "endTime": "2026-11-30T23:59:59+03:00"}


@pytest.fixture
def terminal(clock: SkippingClock) -> Terminal:
    terminal = Terminal("Secret12", clock=clock)
    terminal.wall_clock = WallClock(zone="CST-3:00:00", real_time=lambda: NOON)
    return terminal


@pytest.fixture
def ask(client: Client) -> Ask:
    """Search, and return the HTTP status and what came, without its outermost name."""

    def search(left_out: Collection[str] = (), **condition: Any) -> tuple[int, Any]:
        query = {"searchID": "a1", "searchResultPosition": 0, "maxResults": 30, "major": 0, "minor": 0} | condition
        answer = client.ask("POST", SEARCH, {"AcsEventCond": {k: v for k, v in query.items() if k not in left_out}})
        return answer.status_code, answer.get_json().get("AcsEvent", answer.get_json())

    return search


def found(reply: tuple[int, Any]) -> list[int]:
    return [row["serialNo"] for row in reply[1].get("InfoList", [])]


def refusal(reply: tuple[int, Any]) -> tuple[int, str, str]:
    return reply[0], reply[1]["subStatusCode"], reply[1]["errorMsg"]


def fill(terminal: Terminal, count: int) -> None:
    for second in range(count):
        terminal.events.add(5, 75, "1", "Иван", at=NOON + timedelta(seconds=second))


def sample(recordings: Path, name: str) -> Any:
    return json.loads((recordings / "events" / name).read_text())


def test_page_has_the_recorded_shape_and_is_cut_silently_at_the_limit(
    terminal: Terminal, ask: Ask, recordings: Path
) -> None:
    fill(terminal, 31)

    first, second = ask(maxResults=100), ask(searchResultPosition=30)

    assert list(first[1]) == list(sample(recordings, "12_acsevent_more_k1a340fwx.json")["AcsEvent"])
    assert found(first) == list(range(1, 31))
    assert (first[1]["responseStatusStrg"], first[1]["numOfMatches"], first[1]["totalMatches"]) == ("MORE", 30, 31)
    assert (found(second), second[1]["responseStatusStrg"]) == ([31], "OK")
    terminal.events.set_traps(page_limit=10)
    assert len(found(ask(maxResults=30))) == 10


def test_no_record_is_said_as_recorded(ask: Ask, recordings: Path) -> None:
    assert {"AcsEvent": ask(searchID="s30")[1]} == sample(recordings, "15_acsevent_no_match.json")


def test_records_have_the_recorded_fields_in_their_order(terminal: Terminal, ask: Ask, recordings: Path) -> None:
    recorded = {row["minor"]: row for row in sample(recordings, "13_acsevent_six_kinds.json")["AcsEvent"]["InfoList"]}
    terminal.events.add(5, 75, "100222", "Иванов Иван", picture=faces.draw("anna"))
    terminal.events.add(5, 76, picture=faces.draw("boris"))
    terminal.events.add(5, 9, cardNo="0000000001")
    terminal.events.add(5, 1, "100223", "Петров Пётр", cardNo="0000000001")
    terminal.events.add(5, 39)

    for row in ask()[1]["InfoList"]:
        assert set(row) - {"picturesNumber"} == set(recorded[row["minor"]]), row["minor"]
    face = ask()[1]["InfoList"][0]
    assert (face["name"], face["employeeNoString"], face["time"]) == (
        "Иванов Иван",
        "100222",
        "2026-11-30T15:00:00+03:00",
    )


def test_filters_are_code_person_card_and_both_windows(terminal: Terminal, ask: Ask) -> None:
    terminal.events.add(5, 75, "1", "Иван", at=NOON)
    terminal.events.add(5, 76, at=NOON + timedelta(minutes=1))
    terminal.events.add(5, 1, "2", "Пётр", at=NOON + timedelta(minutes=2), cardNo="77")
    terminal.events.add(2, 1024, at=NOON + timedelta(minutes=3))

    assert found(ask()) == [1, 2, 3, 4]
    assert found(ask(major=5)) == [1, 2, 3]
    assert found(ask(major=5, minor=76)) == [2]
    assert (found(ask(employeeNoString="1")), found(ask(name="Пётр")), found(ask(cardNo="77"))) == ([1], [3], [3])
    assert found(ask(beginSerialNo=2, endSerialNo=999999999)) == [2, 3, 4]
    window = {"startTime": "2026-11-30T15:01:00+03:00", "endTime": "2026-11-30T15:02:00"}
    assert found(ask(**window)) == [2, 3]
    assert found(ask(timeReverseOrder=True)) == [4, 3, 2, 1]


def test_picture_is_a_link_at_the_terminal_or_at_its_old_address_and_opens(
    terminal: Terminal, client: Client, ask: Ask
) -> None:
    terminal.events.add(5, 75, "1", "Иван", picture=faces.draw("anna"))
    path = "/LOCALS/pic/acsLinkCap/202611_00/30_150000_30075_0.jpeg@WEB000000000001"

    here = ask()[1]["InfoList"][0]["pictureURL"]
    terminal.events.set_traps(picture_host="192.0.2.26")
    there = ask()[1]["InfoList"][0]["pictureURL"]

    assert (here, there) == (f"http://192.168.1.67{path}", f"http://192.0.2.26{path}")
    assert "pictureURL" not in ask(picEnable=False)[1]["InfoList"][0]
    assert client.ask("GET", path).data == faces.passage(faces.draw("anna"))


def test_count_is_of_the_same_window(terminal: Terminal, client: Client, recordings: Path) -> None:
    fill(terminal, 3)
    request = sample(recordings, "17_acsevent_total.json")["request"]

    answer = client.ask("POST", TOTAL, request).get_json()
    wrong = client.ask("POST", TOTAL, {"AcsEventCond": {}})

    assert answer == {"AcsEventTotalNum": {"totalNum": 3}}
    assert (wrong.status_code, wrong.get_json()["errorMsg"]) == (400, "AcsEventTotalNumCond")


def test_capabilities_are_the_recorded_ones_with_the_limits_of_the_model(
    client_for: type[Client], clock: SkippingClock
) -> None:
    traps = EventTraps(page_limit=10, search_id_length=20, time_length=25, refuses_major_0=True, ignores_reverse=True)
    client = client_for(Terminal("Secret12", clock=clock, profile=replace(SEED, events=traps)))

    capabilities = client.ask("GET", CAPABILITIES).get_json()["AcsEvent"]

    condition = capabilities["AcsEventCond"]
    limits = [condition[name]["@max"] for name in ("searchID", "maxResults", "startTime", "endTime")]
    assert (limits, capabilities["InfoList"]["maxSize"]) == ([20, 10, 25, 25], 10)
    assert condition["major"]["@opt"] == "1,2,3,4,5"
    assert "timeReverseOrder" not in condition


def test_wrong_requests_are_refused_as_recorded(client: Client, ask: Ask, recordings: Path) -> None:
    recorded = {case["case"]: case["body"] for case in sample(recordings, "16_acsevent_errors.json")}

    get = client.ask("GET", SEARCH)
    xml = client.ask("POST", SEARCH, "<AcsEventCond/>")

    words = recorded["GET instead of POST (HTTP 404)"]
    assert (get.status_code, get.get_json()["subStatusCode"]) == (404, words["subStatusCode"])
    words = recorded["XML body (HTTP 400)"]
    assert (xml.status_code, xml.get_json()["subStatusCode"]) == (400, words["subStatusCode"])
    status, body = ask(left_out=["major"])
    assert (status, body) == (400, {**recorded["major missing (HTTP 400)"]})
    assert refusal(ask(beginSerialNo=1)) == (400, "badJsonContent", "endSerialNo")
    assert refusal(ask(beginSerialNo=4294967295, endSerialNo=1)) == (400, "badJsonContent", "beginSerialNo")
    assert refusal(ask(startTime="yesterday")) == (400, "badJsonContent", "startTime")
    assert refusal(ask(searchResultPosition=300001)) == (400, "badJsonContent", "searchResultPosition")
    assert refusal(ask(name=5)) == (400, "badJsonContent", "name")


def test_search_without_a_minor_finds_all_of_its_major(terminal: Terminal, ask: Ask) -> None:
    terminal.pass_by(None)
    minors = {record.minor for record in terminal.events.records if record.major == 5}

    status, body = ask(left_out=["minor"], major=5)

    assert (status, {row["minor"] for row in body["InfoList"]}) == (200, minors)
    terminal.events.set_traps(refuses_minor_0=True)
    assert refusal(ask(left_out=["minor"], major=5))[1:] == ("invalidOperation", "minor")


def test_search_id_longer_than_the_limit_is_refused(terminal: Terminal, ask: Ask) -> None:
    terminal.events.set_traps(search_id_length=20)

    assert refusal(ask(searchID="0123456789abcdef01234")) == (400, "badJsonContent", "searchID")
    assert ask(searchID="0123456789abcdef0123")[0] == 200


def test_window_in_another_offset_finds_nothing_and_is_no_error(terminal: Terminal, ask: Ask) -> None:
    fill(terminal, 1)

    utc = {"startTime": "2026-11-30T00:00:00Z", "endTime": "2026-11-30T23:59:59Z"}
    assert (found(ask(**WINDOW)), ask(**utc)[1]["responseStatusStrg"]) == ([1], "NO MATCH")
    terminal.events.set_traps(foreign_offset_finds_nothing=False)
    assert found(ask(**utc)) == [1]


def test_time_with_microseconds_finds_nothing_where_it_is_too_long(terminal: Terminal, ask: Ask) -> None:
    fill(terminal, 1)
    long = {"startTime": "2026-11-30T00:00:00.000000+03:00"}

    assert found(ask(**long)) == [1]
    terminal.events.set_traps(time_length=25)
    assert (found(ask(**long)), found(ask(**WINDOW))) == ([], [1])


def test_more_is_said_without_a_record(terminal: Terminal, ask: Ask) -> None:
    fill(terminal, 1)
    terminal.events.set_traps(more_without_records=True)

    beyond = ask(searchResultPosition=1)[1]

    assert (beyond["responseStatusStrg"], beyond["numOfMatches"], "InfoList" in beyond) == ("MORE", 0, False)


def test_status_is_left_out_of_a_page_that_has_records(terminal: Terminal, ask: Ask) -> None:
    fill(terminal, 1)
    terminal.events.set_traps(leaves_status_out=True)

    assert "responseStatusStrg" not in ask()[1]
    assert ask(searchResultPosition=1)[1]["responseStatusStrg"] == "NO MATCH"


def test_code_0_is_refused(terminal: Terminal, ask: Ask) -> None:
    terminal.events.set_traps(refuses_major_0=True, refuses_minor_0=True)

    assert refusal(ask()) == (400, "badJsonContent", "major")
    assert refusal(ask(major=5)) == (400, "invalidOperation", "minor")
    assert ask(major=5, minor=75)[0] == 200


def test_begin_without_end_finds_the_rest_where_it_is_taken(terminal: Terminal, ask: Ask) -> None:
    fill(terminal, 3)
    terminal.events.set_traps(needs_end_serial=False)

    assert found(ask(beginSerialNo=2)) == [2, 3]


def test_window_of_serials_and_the_order_are_read_over(terminal: Terminal, ask: Ask) -> None:
    fill(terminal, 3)
    terminal.events.set_traps(ignores_serials=True, ignores_reverse=True)

    assert found(ask(beginSerialNo=2, endSerialNo=2, timeReverseOrder=True)) == [1, 2, 3]


def test_empty_fields_are_zeros_or_the_word_null_on_some(terminal: Terminal, ask: Ask, recordings: Path) -> None:
    terminal.events.add(2, 1024)
    recorded = sample(recordings, "12_acsevent_more_k1a340fwx.json")["AcsEvent"]["InfoList"][0]

    terminal.events.set_traps(empty_fields="zeros")
    zeros = ask()[1]["InfoList"][0]
    terminal.events.set_traps(empty_fields="null")
    words = ask()[1]["InfoList"][0]

    assert list(zeros) == list(recorded)
    assert zeros == {**recorded, "time": "2026-11-30T15:00:00+03:00"}
    assert (words["employeeNoString"], words["name"], words["cardNo"]) == ("null", "null", "null")


def test_name_is_left_out_of_a_record_although_it_is_known(terminal: Terminal, ask: Ask) -> None:
    terminal.events.add(5, 75, "1", "Иван")
    terminal.events.set_traps(hides_names=True)

    row = ask()[1]["InfoList"][0]

    assert (row["employeeNoString"], "name" in row) == ("1", False)


def test_login_is_a_record_on_some_so_that_reading_makes_the_log_longer(terminal: Terminal, client: Client) -> None:
    terminal.events.set_traps(records_logins=True)

    client.ask("GET", CAPABILITIES)
    client.ask("GET", CAPABILITIES)
    terminal.restart()
    client.challenge = None
    client.ask("GET", CAPABILITIES)

    assert [(record.major, record.minor) for record in terminal.events.records] == [(3, 112), (2, 1024), (3, 112)]
