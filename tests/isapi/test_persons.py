"""People: added, renamed, found on whatever page, removed one at a time."""

import itertools
import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hikflask.isapi import errors, persons
from hikflask.isapi.answer import Answer
from hikflask.isapi.paging import MAX_PAGES

from .helpers import Prepared, answer, recorded, refusal

BEGIN = datetime.fromisoformat("2025-01-01T00:00:00")
MARCH_TO_JUNE = "2026-03-01T00:00:00/2026-06-30T23:59:59"
JUNE_VALIDITY = persons.Validity(BEGIN, datetime.fromisoformat("2026-06-30T23:59:59"))
PROCESSING = b'{"UserInfoDetailDeleteProcess":{"status":"processing"}}'
SUCCESS = b'{"UserInfoDetailDeleteProcess":{"status":"success"}}'
NOT_SUPPORTED = refusal("notSupport", status=404, status_code=4)


def person(number: str, **changes: object) -> dict[str, object]:
    return {"employeeNo": number, "name": f"name {number}", "numOfFace": 1, **changes}


def page(*people: dict[str, object], total: int | None, **changes: object) -> Answer:
    words: dict[str, object] = {"responseStatusStrg": "OK", "totalMatches": total, "UserInfo": list(people), **changes}
    if total is None:
        del words["totalMatches"]
    return answer(json.dumps({"UserInfoSearch": words}).encode())


NOBODY = page(total=0, responseStatusStrg="NO MATCH")


def sent_json(client: Prepared, index: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(client.sent[index].data or b"")
    return found


def numbered(file: str) -> bytes:
    """A recorded page, in which everybody has one and the same blanked number, with numbers from 1 on."""
    numbers = itertools.count(1)
    return re.sub(rb'(?<="employeeNo":\t)"\w+"', lambda _: b'"%d"' % next(numbers), recorded(file))


def test_adding_sends_the_guides_body_in_its_order() -> None:
    client = Prepared(answer(recorded("seed_terminal/36_POST_AccessControl_UserInfo_Record.response.json")))
    persons.add(client, "100222", "Иван Иванов", begin=BEGIN, end=datetime.fromisoformat("2035-12-31T23:59:59"))
    expected = (
        '{"UserInfo":{"employeeNo":"100222","name":"Иван Иванов","userType":"normal",'
        '"Valid":{"enable":true,"beginTime":"2025-01-01T00:00:00","endTime":"2035-12-31T23:59:59","timeType":"local"},'
        '"doorRight":"1","RightPlan":[{"doorNo":1,"planTemplateNo":"1"}],"gender":"unknown","groupId":1}}'
    )
    assert client.sent[0].data == expected.encode()
    assert (client.sent[0].method, client.sent[0].path) == ("POST", "/ISAPI/AccessControl/UserInfo/Record?format=json")


def test_validity_is_kept_within_the_terminals_calendar() -> None:
    client = Prepared(answer(), answer())
    persons.add(client, "1", "a", begin=datetime.fromisoformat("1999-05-05T10:00:00.123456"))
    persons.add(client, "1", "a", begin=BEGIN, end=datetime.fromisoformat("2050-01-01T00:00:00"))
    first, second = (sent_json(client, index)["UserInfo"]["Valid"] for index in (0, 1))
    assert (first["beginTime"], first["endTime"]) == ("2000-01-01T00:00:00", "2037-12-31T23:59:59")
    assert second["endTime"] == "2037-12-31T23:59:59"


def test_a_time_with_a_zone_is_refused_before_anything_is_sent() -> None:
    client = Prepared()
    with pytest.raises(ValueError, match="zone"):
        persons.add(client, "1", "a", begin=datetime(2025, 1, 1, tzinfo=UTC))
    assert client.sent == []


def test_a_taken_number_is_told_as_such() -> None:
    with pytest.raises(errors.NumberTaken) as caught:
        persons.add(Prepared(refusal("employeeNoAlreadyExist", "checkUser")), "1", "a", begin=BEGIN)
    assert caught.value.message == "checkUser"


def test_http_200_without_the_terminals_ok_is_not_added() -> None:
    with pytest.raises(errors.Nonsense):
        persons.add(Prepared(answer(b"")), "1", "a", begin=BEGIN)


def test_modifying_sends_number_and_name_only() -> None:
    client = Prepared(answer())
    persons.modify(client, "100222", "Пётр")
    assert client.sent[0].data == '{"UserInfo":{"employeeNo":"100222","name":"Пётр"}}'.encode()
    assert (client.sent[0].method, client.sent[0].path) == ("PUT", "/ISAPI/AccessControl/UserInfo/Modify?format=json")


def test_modifying_sends_a_validity_only_when_one_is_given() -> None:
    client = Prepared(answer())
    persons.modify(client, "1", "a", persons.Rights(JUNE_VALIDITY))
    expected = (
        '{"UserInfo":{"employeeNo":"1","name":"a","Valid":{"enable":true,"beginTime":"2025-01-01T00:00:00",'
        '"endTime":"2026-06-30T23:59:59","timeType":"local"}}}'
    )
    assert client.sent[0].data == expected.encode()


def test_modifying_sends_back_the_rights_that_were_shown() -> None:
    told = {
        "Valid": {
            "enable": True,
            "beginTime": "1970-01-01T00:00:00",
            "endTime": "2026-06-30T12:00:00",
            "timeType": "UTC",
        },
        "doorRight": "2, 1",
        "RightPlan": [{"doorNo": 2, "planTemplateNo": 7}, {"doorNo": "1", "planTemplateNo": "3,1", "more": 1}],
        "userType": "blackList",
    }
    found = persons.find(Prepared(page(person("1", **told), total=1)), "1")
    assert found is not None

    client = Prepared(answer())
    persons.modify(client, "1", "a", found.rights)

    assert sent_json(client)["UserInfo"] == {
        "employeeNo": "1",
        "name": "a",
        "Valid": {
            "enable": True,
            "beginTime": "2000-01-01T00:00:00",
            "endTime": "2026-06-30T12:00:00",
            "timeType": "UTC",
        },
        "doorRight": "1,2",
        "RightPlan": [{"doorNo": 1, "planTemplateNo": "1,3"}, {"doorNo": 2, "planTemplateNo": "7"}],
        "userType": "blackList",
    }


@pytest.mark.parametrize(
    ("told", "rights"),
    [
        ({}, persons.Rights()),
        ({"doorRight": "", "RightPlan": []}, persons.Rights(doors="", plans=())),
        (
            {"doorRight": 1, "RightPlan": {"doorNo": 1, "planTemplateNo": ""}},
            persons.Rights(doors="1", plans=((1, ""),)),
        ),
        ({"doorRight": "all", "RightPlan": [{"doorNo": 1, "planTemplateNo": "x"}]}, persons.Rights()),
        ({"doorRight": None, "RightPlan": "1", "userType": "1 or 2"}, persons.Rights()),
        ({"Valid": {"enable": False}}, persons.Rights(persons.Validity(None, None, enabled=False))),
        ({"Valid": {"enable": True}}, persons.Rights()),
        ({"Valid": {"beginTime": "2026-06-30T00:00:00", "endTime": "2026-06-29T00:00:00"}}, persons.Rights()),
    ],
)
def test_rights_are_told_or_not(told: dict[str, object], rights: persons.Rights) -> None:
    found = persons.find(Prepared(page(person("1", **told), total=1)), "1")
    assert found is not None
    assert found.rights == rights
    persons.modify(Prepared(answer()), "1", "a", found.rights)


@pytest.mark.parametrize(
    "refused",
    [refusal("methodNotAllowed", status=405, status_code=4), answer(b"Method Not Allowed", status=405), NOT_SUPPORTED],
)
def test_modify_goes_by_the_other_method_where_the_first_is_not_allowed(refused: Answer) -> None:
    client = Prepared(refused, answer())

    assert persons.modify(client, "1", "a") == "POST"
    assert [call.method for call in client.sent] == ["PUT", "POST"]
    assert client.sent[0].data == client.sent[1].data
    assert persons.modify(Prepared(answer()), "1", "a", method="POST") == "POST"
    with pytest.raises(errors.NotSupported):
        persons.modify(Prepared(refused, refused), "1", "a")


def test_an_end_before_the_begin_is_never_sent() -> None:
    client = Prepared()
    with pytest.raises(ValueError, match="ends before it begins"):
        persons.add(client, "1", "a", begin=BEGIN, end=BEGIN - timedelta(seconds=1))
    with pytest.raises(ValueError, match="ends before it begins"):
        persons.modify(client, "1", "a", persons.Rights(persons.Validity(BEGIN, BEGIN - timedelta(seconds=1))))
    assert client.sent == []


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"enable": True, "beginTime": "2026-03-01T00:00:00", "endTime": "2026-06-30T23:59:59"}, MARCH_TO_JUNE),
        ({"beginTime": "2026-03-01T00:00:00+08:00", "endTime": " 2026-06-30T23:59:59Z "}, MARCH_TO_JUNE),
        ({"enable": False, "beginTime": "2026-03-01T00:00:00", "endTime": "2026-06-30T23:59:59"}, "off"),
        ({"enable": "false"}, "off"),
        ({"enable": True, "beginTime": "soon", "endTime": "2026-06-30T23:59:59"}, ""),
        ({"enable": True}, ""),
        ({"beginTime": "2026-03-01", "endTime": "2026-06-30"}, MARCH_TO_JUNE),
        ({"beginTime": "2026-03-01T00:00", "endTime": "2026-06-30T23:59"}, MARCH_TO_JUNE),
        ({"beginTime": "2026-03-01T00:00", "endTime": "2026-06-30T18:00"}, "2026-03-01T00:00:00/2026-06-30T18:00:00"),
    ],
)
def test_the_validity_is_read_as_the_terminal_shows_it(told: dict[str, object], words: str) -> None:
    found = persons.find(Prepared(page(person("1", Valid=told), total=1)), "1")
    assert found is not None
    assert found.valid is not None
    assert found.valid.words == words


@pytest.mark.parametrize(
    ("told", "suffix"),
    [
        ({"endTime": "2026-06-30T23:59:59"}, ""),
        ({"endTime": "2026-06-30T23:59:59", "timeType": "local"}, ""),
        ({"endTime": "2026-06-30T23:59:59", "timeType": "UTC"}, "+00:00"),
        ({"endTime": "2026-06-30T23:59:59Z"}, "+00:00"),
        ({"endTime": "2026-06-30T23:59:59-03:30", "timeType": "UTC"}, "-03:30"),
    ],
)
def test_the_zone_of_a_validity_is_read_where_it_is_told(told: dict[str, object], suffix: str) -> None:
    found = persons.find(Prepared(page(person("1", Valid={"beginTime": "2026-03-01", **told}), total=1)), "1")
    assert found is not None
    assert found.valid is not None
    assert (found.valid.words, found.valid.suffix) == (MARCH_TO_JUNE, suffix)


def test_what_the_terminal_does_not_tell_about_a_person_is_unknown() -> None:
    found = persons.find(Prepared(page(person("1", Valid="2026", numOfCard=-1), total=1)), "1")
    assert found is not None
    assert (found.valid, found.cards, found.fingerprints) == (None, None, None)


def test_cards_and_fingerprints_are_counted() -> None:
    found = persons.find(Prepared(page(person("1", numOfCard=2, numOfFP="3"), total=1)), "1")
    assert found is not None
    assert (found.cards, found.fingerprints) == (2, 3)


def test_finding_asks_for_the_one_number() -> None:
    url = "https://h/LOCALS/pic/enrlFace/0/3.jpg@WEB1"
    client = Prepared(page(person("100222", faceURL=url), total=1))
    assert persons.find(client, "100222") == persons.TerminalPerson("100222", "name 100222", 1, url)
    assert sent_json(client)["UserInfoSearchCond"]["EmployeeNoList"] == [{"employeeNo": "100222"}]


def test_no_match_is_nobody() -> None:
    body = b'{"UserInfoSearch":{"searchID":"a1","responseStatusStrg":"NO MATCH","numOfMatches":0,"totalMatches":0}}'
    assert persons.find(Prepared(answer(body)), "1") is None


@pytest.mark.parametrize(
    "words",
    [
        {"responseStatusStrg": "NO MATCH"},
        {"responseStatusStrg": "NO MATCH", "UserInfo": []},
        {"totalMatches": 0},
        {"totalMatches": "0", "responseStatusStrg": "OK"},
    ],
)
def test_nobody_is_what_the_terminal_says_so(words: dict[str, object]) -> None:
    assert persons.find(Prepared(answer(json.dumps({"UserInfoSearch": words}).encode())), "1") is None


@pytest.mark.parametrize(
    "words",
    [
        {},
        {"responseStatusStrg": "FAILED"},
        {"responseStatusStrg": "FAILED", "totalMatches": 0},
        {"responseStatusStrg": 0},
        {"responseStatusStrg": "OK"},
        {"responseStatusStrg": "OK", "UserInfo": []},
        {"responseStatusStrg": "OK", "totalMatches": -1},
        {"responseStatusStrg": "OK", "totalMatches": 1},
        {"responseStatusStrg": "MORE", "totalMatches": 0},
        {"responseStatusStrg": "NO MATCH", "totalMatches": 2},
        {"responseStatusStrg": "NO MATCH", "UserInfo": [{"employeeNo": "7"}]},
        {"totalMatches": "", "UserInfo": "1"},
        {"responseStatusStrg": "OK", "totalMatches": 1, "UserInfo": "1"},
        {"responseStatusStrg": "OK", "totalMatches": 1, "UserInfo": ["1"]},
        {"responseStatusStrg": "OK", "totalMatches": 1, "UserInfo": [{}]},
        {"responseStatusStrg": "OK", "totalMatches": 1, "UserInfo": [{"employeeNo": None}]},
        {"responseStatusStrg": "OK", "totalMatches": 1, "UserInfo": [{"employeeNo": ["1"]}]},
        {"responseStatusStrg": "OK", "totalMatches": 1, "UserInfo": [{"employeeNo": {"value": "1"}}]},
        {"responseStatusStrg": "OK", "totalMatches": 1, "UserInfo": [{"employeeNo": 1.0}]},
        {"responseStatusStrg": "OK", "totalMatches": 1, "UserInfo": [{"employeeNo": True}]},
        {"responseStatusStrg": "OK", "totalMatches": 1, "UserInfo": [{"employeeNo": " "}]},
        {"totalMatches": 1, "UserInfo": [{"employeeNo": "7"}]},
    ],
)
def test_an_answer_that_says_nothing_is_not_nobody(words: dict[str, object]) -> None:
    with pytest.raises(errors.Nonsense):
        persons.find(Prepared(answer(json.dumps({"UserInfoSearch": words}).encode())), "1")


def test_somebody_on_an_odd_list_is_there_all_the_same() -> None:
    found = persons.find(Prepared(page(person("1"), total=0, responseStatusStrg="FAILED")), "1")
    assert found is not None


def test_a_list_that_changes_while_it_is_read_is_not_the_whole() -> None:
    first = page(*[person(str(n)) for n in range(30)], total=31, responseStatusStrg="MORE")
    with pytest.raises(errors.Nonsense):
        persons.find(Prepared(first, page(total=30, responseStatusStrg="NO MATCH")), "100222")


def test_a_firmware_that_lists_everybody_is_paged_through() -> None:
    first = page(*[person(str(n)) for n in range(30)], total=31, responseStatusStrg="MORE")
    client = Prepared(first, page(person("100222"), total=31))
    found = persons.find(client, "100222")
    assert found is not None
    assert found.number == "100222"


def test_a_longer_number_is_not_the_number() -> None:
    assert persons.find(Prepared(page(person("1002221"), total=1), NOBODY), "100222") is None


@pytest.mark.parametrize("number", [100222, "100222 ", " 100222", "100222\x00\x00", "100222\n"])
def test_a_number_in_another_dress_is_the_number(number: object) -> None:
    found = persons.find(Prepared(page(person("1", employeeNo=number), total=1)), "100222")
    assert found is not None
    assert found.number == "100222"


@pytest.mark.parametrize("faces", [-1, "-1", True, [1], 1.5, "many", 2**31, None])
def test_faces_that_nobody_can_count_are_none_counted(faces: object) -> None:
    found = persons.find(Prepared(page(person("1", numOfFace=faces), total=1)), "1")
    assert found is not None
    assert found.faces is None


def test_a_firmware_that_counts_no_faces_says_none() -> None:
    row = person("1")
    del row["numOfFace"]
    found = persons.find(Prepared(page(row, total=1)), "1")
    assert found == persons.TerminalPerson("1", "name 1", None, None)


def test_a_search_advances_by_what_came_and_keeps_its_id() -> None:
    pages = [page(*[person(f"{part}-{n}") for n in range(size)], total=83) for part, size in enumerate((30, 20, 30, 3))]
    client = Prepared(*pages)
    assert persons.find(client, "100222") is None
    asked = [sent_json(client, index)["UserInfoSearchCond"] for index in range(4)]
    assert [words["searchResultPosition"] for words in asked] == [0, 30, 50, 80]
    assert {words["maxResults"] for words in asked} == {30}
    assert len({words["searchID"] for words in asked}) == 1


def test_the_seed_terminals_recorded_search_is_complete() -> None:
    client = Prepared(answer(numbered("seed_terminal/51_POST_AccessControl_UserInfo_Search.response.json")))
    url = "https://192.168.1.67/LOCALS/pic/enrlFace/0/0000000003.jpg@WEB000000000023"
    decade = persons.Validity(datetime.fromisoformat("2025-12-10"), datetime.fromisoformat("2035-12-10T23:59:59"))
    assert persons.find(client, "12") == persons.TerminalPerson(
        "12", "0" * 32, 1, url, decade, cards=0, fingerprints=0, doors="1", plans=((1, "1"),), user_type="normal"
    )


def test_the_other_recorded_search_goes_on_after_more() -> None:
    first = answer(numbered("other_terminals/userinfo_search_K1T342MWX.json"))
    found = persons.find(Prepared(first), "1")
    assert found is not None
    assert found.face_url == "https://DEVICE_HOST/LOCALS/pic/enrlFace/0/0000000001.jpg@WEB000000000015"
    assert persons.find(Prepared(first, page(person("8"), person("9"), total=7)), "9") is not None
    assert persons.find(Prepared(first, page(person("8"), person("9"), total=7)), "10") is None


def test_a_list_that_stops_early_is_not_taken_for_the_whole() -> None:
    with pytest.raises(errors.Nonsense):
        persons.find(Prepared(page(person("1"), total=5), page(total=5)), "100222")


def test_without_a_total_the_words_more_and_ok_decide() -> None:
    client = Prepared(page(person("1"), total=None, responseStatusStrg="MORE"), page(person("2"), total=None))
    assert persons.find(client, "2") is not None


def test_one_person_as_an_object_is_a_list_of_one() -> None:
    body = b'{"UserInfoSearch":{"responseStatusStrg":"OK","totalMatches":1,"UserInfo":{"employeeNo":7,"name":"a"}}}'
    assert persons.find(Prepared(answer(body)), "7") == persons.TerminalPerson("7", "a", None, None)


def test_a_refused_search_is_not_an_empty_list() -> None:
    with pytest.raises(errors.Busy):
        persons.find(Prepared(refusal("deviceBusy", status=200, status_code=2)), "1")


def test_the_count_is_read_from_the_recording() -> None:
    client = Prepared(answer(recorded("seed_terminal/52_GET_AccessControl_UserInfo_Count.response.json")))
    assert persons.count(client) == persons.Count(people=12, faces=3)


def test_a_count_below_zero_is_nonsense() -> None:
    with pytest.raises(errors.Nonsense):
        persons.count(Prepared(answer(b'{"UserInfoCount":{"userNumber":-1}}')))
    told = b'{"UserInfoCount":{"userNumber":0,"bindFaceUserNumber":-1}}'
    assert persons.count(Prepared(answer(told))) == persons.Count(people=0, faces=None)


def test_a_count_without_a_number_is_nonsense() -> None:
    with pytest.raises(errors.Nonsense):
        persons.count(Prepared(answer(b'{"UserInfoCount":{}}')))


def test_removing_waits_until_it_is_no_longer_processing() -> None:
    pauses: list[float] = []
    client = Prepared(answer(), answer(PROCESSING), answer(SUCCESS))
    persons.remove(client, "100222", pause=pauses.append)
    expected = b'{"UserInfoDetail":{"mode":"byEmployeeNo","EmployeeNoList":[{"employeeNo":"100222"}]}}'
    assert client.sent[0].data == expected
    assert [(sent.method, sent.path) for sent in client.sent] == [
        ("PUT", "/ISAPI/AccessControl/UserInfoDetail/Delete?format=json"),
        ("GET", "/ISAPI/AccessControl/UserInfoDetail/DeleteProcess?format=json"),
        ("GET", "/ISAPI/AccessControl/UserInfoDetail/DeleteProcess?format=json"),
    ]
    assert len(pauses) == 1


def test_an_older_terminal_is_asked_the_older_way() -> None:
    client = Prepared(NOT_SUPPORTED, answer())
    persons.remove(client, "100222", pause=lambda _: None)
    assert client.sent[1].data == b'{"UserInfoDelCond":{"EmployeeNoList":[{"employeeNo":"100222"}]}}'
    assert client.sent[1].path == "/ISAPI/AccessControl/UserInfo/Delete?format=json"


def test_a_failed_removal_is_refused() -> None:
    with pytest.raises(errors.Refused) as caught:
        persons.remove(Prepared(answer(), answer(SUCCESS.replace(b"success", b"failed"))), "1", pause=lambda _: None)
    assert (caught.value.code, caught.value.message) == ("refused", "the removal failed")


def test_a_removal_that_never_ends_is_busy() -> None:
    with pytest.raises(errors.Busy):
        persons.remove(Prepared(answer(), *[answer(PROCESSING)] * 3), "1", pause=lambda _: None, tries=3)


def test_removing_someone_absent_is_no_error() -> None:
    client = Prepared(refusal("employeeNoNotExist"), answer(SUCCESS))
    persons.remove(client, "1", pause=lambda _: None)
    assert len(client.sent) == 2


NO_PROGRESS = [
    NOT_SUPPORTED,
    refusal("invalidOperation"),
    answer(b'{"status":"success"}'),
    answer(SUCCESS.replace(b"success", b"idle")),
    answer(b"<html/>"),
]


@pytest.mark.parametrize("told", NO_PROGRESS)
def test_a_terminal_without_progress_is_not_waited_for(told: Answer) -> None:
    client = Prepared(answer(), told)
    persons.remove(client, "1", pause=lambda _: None)
    assert len(client.sent) == 2


def test_a_terminal_too_busy_to_tell_the_progress_is_asked_later() -> None:
    with pytest.raises(errors.Busy):
        persons.remove(Prepared(answer(), refusal("deviceBusy", status_code=2)), "1", pause=lambda _: None)


@pytest.mark.parametrize("number", ["", " ", "a b", "1\n", "x" * 33, "Иван", "1,2", None, ["1"], 5])
@pytest.mark.parametrize("verb", ["remove", "find", "modify"])
def test_a_bad_number_never_reaches_the_wire(verb: str, number: Any) -> None:
    client = Prepared()
    with pytest.raises(ValueError, match="employee number"):
        getattr(persons, verb)(client, number, *(["name"] if verb == "modify" else []))
    assert client.sent == []


@settings(deadline=None)
@given(st.text(max_size=40))
def test_no_delete_ever_names_anything_but_one_number(number: str) -> None:
    client = Prepared(answer(), answer(SUCCESS))
    try:
        persons.remove(client, number, pause=lambda _: None)
    except ValueError:
        assert client.sent == []
        return
    assert sent_json(client)["UserInfoDetail"] == {"mode": "byEmployeeNo", "EmployeeNoList": [{"employeeNo": number}]}
    assert number


def test_a_search_is_not_followed_for_ever() -> None:
    client = Prepared(*[page(person(f"8{position}"), total=10**6) for position in range(500)])

    with pytest.raises(errors.Nonsense):
        persons.find(client, "7")

    assert len(client.sent) == MAX_PAGES


def test_a_page_that_comes_again_is_not_the_rest_of_the_list() -> None:
    """Firmware that ignores the position would otherwise pass off its first page as everybody."""
    first = page(person("8"), person("9"), total=3)

    with pytest.raises(errors.Nonsense, match="repeats"):
        persons.find(Prepared(first, first), "7")


@pytest.mark.parametrize("word", ["NO MATCH", "NO_MATCH", "NO MATCHES", "NO_MATCHES", "no_match"])
def test_nobody_is_said_in_several_words(word: str) -> None:
    assert persons.find(Prepared(page(total=0, responseStatusStrg=word)), "7") is None


def test_rows_beyond_a_page_are_left_out_and_read_by_the_next_one() -> None:
    everybody = [person(f"8{position:02}") for position in range(45)]
    client = Prepared(page(*everybody, total=45, responseStatusStrg="OK"), page(*everybody[30:], total=45))

    found = persons.find(client, "844")

    assert found is not None
    assert [sent_json(client, place)["UserInfoSearchCond"]["searchResultPosition"] for place in (0, 1)] == [0, 30]


def test_nobody_is_said_without_a_word() -> None:
    assert persons.find(Prepared(page(total=0, responseStatusStrg=None)), "7") is None


def test_more_at_the_end_of_the_total_is_the_end() -> None:
    client = Prepared(page(person("8"), total=1, responseStatusStrg="MORE"), NOBODY)
    assert persons.find(client, "7") is None
    assert len(client.sent) == 2


OTHERS = [person(str(number)) for number in range(30)]


@pytest.mark.parametrize("total", [None, 30])
def test_page_that_is_called_the_whole_list_does_not_hide_who_is_on_the_next_one(total: int | None) -> None:
    full = page(*OTHERS, total=total)

    found = persons.find(Prepared(full, page(person("100222"), total=1)), "100222")
    several = persons.find_several(Prepared(page(person("8"), total=1), page(person("7"), total=1)), ["7", "8"])

    assert found is not None
    assert several is not None
    assert set(several) == {"7", "8"}


def test_terminal_that_shows_a_number_in_another_form_does_not_ignore_the_numbers_of_a_search() -> None:
    several = persons.find_several(Prepared(page(person("7"), person("AB1"), total=2), NOBODY), ["007", "ab1", "8"])

    assert several == {}
    assert persons.find_several(Prepared(page(person("9"), total=1)), ["007", "8"]) is None


@pytest.mark.parametrize("total", [None, 30])
def test_nobody_is_there_only_after_a_shorter_page_and_an_empty_one(total: int | None) -> None:
    full, shorter = page(*OTHERS, total=total), page(person("31"), total=1)

    assert persons.find(Prepared(full, shorter, NOBODY), "100222") is None
    for pages in ((full, NOBODY), (shorter, full), (shorter, shorter)):
        with pytest.raises(errors.Nonsense):
            persons.find(Prepared(*pages, NOBODY), "100222")


def test_length_of_the_list_that_is_no_page_s_own_is_believed() -> None:
    client = Prepared(page(*OTHERS, total=31, responseStatusStrg="MORE"), page(person("31"), total=31))

    assert persons.find(client, "100222") is None
    assert len(client.sent) == 2


def test_a_flat_count_is_read_as_well() -> None:
    assert persons.count(Prepared(answer(b'{"userNumber":16}'))) == persons.Count(16, None)
