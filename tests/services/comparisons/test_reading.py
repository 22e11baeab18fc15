"""A terminal's list is read page by page, is never taken for complete when it changed, and goes on where it was."""

import dataclasses
import itertools
import json
import re
from collections.abc import Callable
from typing import Any
from unittest.mock import Mock

import pytest
import requests

from hikflask.extensions import db
from hikflask.isapi.errors import NoAnswer, Unreachable, WrongPassword
from hikflask.models import Comparison, Enrolment, PersonThere, Terminal
from hikflask.models.columns import database_now
from hikflask.models.comparison import DONE, FAILED, READING
from hikflask.services.captures.drafts import Draft
from hikflask.services.comparisons import queries, reading, retention
from hikflask.services.comparisons.pages import ComparisonFailed
from hikflask.services.core.errors import LoginStopped, TerminalInUse
from hikflask.services.employees.lifecycle import send_to_terminal
from hikflask.services.employees.save import save_employee
from hikflask.services.enrolments import queries as enrolments
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.services.photos import storage
from hikflask.services.terminals import connection, leases
from hikflask.simulator import Terminal as Simulated
from hikflask.simulator.profiles import profile_named
from tests.support.captures import FACE, OTHER_FACE
from tests.support.comparisons import (
    compare,
    desire_with_photo,
    differences,
    last_row_again,
    people_kept,
    strangers,
)
from tests.support.enrolments import enrol
from tests.support.wire import InProcess, _response

pytestmark = pytest.mark.usefixtures("context", "worker_alive")

SEARCH = "UserInfo/Search"
MANY = [f"9{number:03}" for number in range(65)]
Words = dict[str, Any]
SERIAL = re.compile(rb"(<serialNumber>)[^<]*")


def begun(terminal: Terminal) -> int:
    return reading.start(terminal.id, "Анна").id


def step(comparison_id: int) -> bool:
    """Read one page in a conversation of its own."""
    return reading.read_slice(comparison_id, "Анна", 0.0)


def read_on(comparison_id: int) -> Comparison:
    """Read page by page to the end."""
    while step(comparison_id):
        pass
    return queries.get_comparison(comparison_id)


def paths(simulator: Simulated) -> list[str]:
    return [entry.plain_path.rpartition("/")[2].partition("@")[0] for entry in simulator.log]


def listed(comparison: Comparison) -> list[str]:
    rows = db.session.execute(
        db.select(PersonThere.number).where(PersonThere.comparison_id == comparison.id).order_by(PersonThere.id)
    )
    return list(rows.scalars())


def test_whole_list_is_read_in_pages_that_overlap(simulator: Simulated, terminal: Terminal) -> None:
    strangers(simulator, MANY)

    done = compare(terminal)

    assert (done.state, done.people, done.read, done.restarts) == (DONE, 65, 65, 0)
    assert listed(done) == MANY
    assert paths(simulator) == ["deviceInfo", "Search", "Search", "Search", "Count", "deviceInfo"]


def test_list_of_any_length_is_read_to_its_end(simulator: Simulated, terminal: Terminal) -> None:
    for count in (0, 1, 29, 30, 31, 59, 60):
        simulator.people.clear()
        strangers(simulator, MANY[:count])

        done = compare(terminal)

        assert (done.people, listed(done)) == (count, MANY[:count])


WORDS: list[Words] = [
    {"search_no_match": "NO_MATCHES"},
    {"search_no_match": "NO MATCHES"},
    {"search_no_match": ""},
    {"more_at_the_end": True},
]


def test_list_is_whole_in_all_words_of_firmware(simulator: Simulated, terminal: Terminal) -> None:
    plain = simulator.profile
    for words, count in itertools.product(WORDS, (0, 31)):
        simulator.profile = dataclasses.replace(plain, **words)
        simulator.people.clear()
        strangers(simulator, MANY[:count])

        assert listed(compare(terminal)) == MANY[:count]


def test_killed_worker_and_silent_terminal_lose_no_page(
    simulator: Simulated, terminal: Terminal, wire: InProcess
) -> None:
    strangers(simulator, MANY)
    comparison_id = begun(terminal)
    assert step(comparison_id)
    wire.away.add("terminal.test")

    with pytest.raises(Unreachable):
        step(comparison_id)

    assert (queries.get_comparison(comparison_id).state, queries.get_comparison(comparison_id).read) == (READING, 30)
    wire.away.clear()
    simulator.log.clear()
    assert listed(read_on(comparison_id)) == MANY
    assert paths(simulator).count("Search") == 2


def test_terminal_is_free_between_two_slices(simulator: Simulated, terminal: Terminal) -> None:
    strangers(simulator, MANY)
    comparison_id = begun(terminal)
    assert step(comparison_id)

    lease = leases.acquire(terminal.id, "Борис", "capture", 20.0)

    with pytest.raises(TerminalInUse):
        step(comparison_id)
    lease.release()
    assert step(comparison_id)


def removed(simulator: Simulated) -> None:
    simulator.store.remove(["9003"])


def added_in_front(simulator: Simulated) -> None:
    everybody = dict(simulator.people)
    simulator.people.clear()
    simulator.store.add("8000", {"name": "Первый"})
    simulator.people.update(everybody)


def exchanged(simulator: Simulated) -> None:
    """One is removed and one is added: the total stays."""
    simulator.store.remove(["9003"])
    simulator.store.add("8000", {"name": "Новый"})


def test_list_that_changes_between_two_pages_is_read_again(simulator: Simulated, terminal: Terminal) -> None:
    for change in (removed, added_in_front, exchanged):
        simulator.people.clear()
        strangers(simulator, MANY)
        comparison_id = begun(terminal)
        assert step(comparison_id)

        change(simulator)
        done = read_on(comparison_id)

        assert (done.state, done.restarts, sorted(listed(done))) == (DONE, 1, sorted(simulator.people))


def test_list_that_keeps_changing_is_never_taken_for_complete(simulator: Simulated, terminal: Terminal) -> None:
    strangers(simulator, MANY)
    comparison_id = begun(terminal)

    def change() -> None:
        simulator.store.remove([next(iter(simulator.people))])

    simulator.after(SEARCH, change)
    with pytest.raises(ComparisonFailed, match=r"^list_changing$"):
        read_on(comparison_id)

    failed = queries.get_comparison(comparison_id)
    assert (failed.state, failed.refusal_code, failed.restarts) == (FAILED, "list_changing", 5)
    assert (people_kept(), queries.finished(terminal.id)) == (0, None)


@dataclasses.dataclass
class Firmware:
    """Between app and terminal: changes what is asked of a search for everybody, and what is answered."""

    asked: Words = dataclasses.field(default_factory=dict)
    answered: Callable[[Words], Words] = dict

    def between(self, wire: InProcess) -> Callable[..., requests.Response]:
        plain = wire.send

        def send(request: requests.PreparedRequest, **options: Any) -> requests.Response:
            if SEARCH not in str(request.url):
                return plain(request, **options)
            words = json.loads(request.body or b"{}")
            words["UserInfoSearchCond"] |= self.asked
            request.body = json.dumps(words).encode()
            response = plain(request, **options)
            if response.status_code != 200:
                return response
            said = json.loads(response.content)["UserInfoSearch"]
            return _response(request, 200, {}, json.dumps({"UserInfoSearch": said | self.answered(said)}).encode())

        return send


@pytest.fixture
def firmware(wire: InProcess, monkeypatch: pytest.MonkeyPatch) -> Firmware:
    found = Firmware()
    monkeypatch.setattr(wire, "send", found.between(wire))
    return found


def test_firmware_that_gives_shorter_pages_is_read_to_its_end(
    simulator: Simulated, terminal: Terminal, firmware: Firmware
) -> None:
    strangers(simulator, MANY)
    firmware.asked = {"maxResults": 10}

    assert listed(compare(terminal)) == MANY


def test_rows_that_were_not_asked_for_are_left_out(
    simulator: Simulated, terminal: Terminal, firmware: Firmware
) -> None:
    strangers(simulator, MANY)
    more = [{"employeeNo": f"X{number}", "name": "Гость"} for number in range(1000)]
    firmware.answered = lambda said: {"UserInfo": said["UserInfo"] + (more if len(said["UserInfo"]) == 30 else [])}

    assert listed(compare(terminal)) == MANY


def test_list_longer_than_the_terminal_can_hold_concludes_nothing(
    simulator: Simulated, terminal: Terminal, firmware: Firmware
) -> None:
    strangers(simulator, MANY)
    enrolled = enrol(simulator, terminal)
    db.session.execute(db.update(Terminal).values(people_capacity=50))
    db.session.commit()
    # It tells of as many as it can hold, and then of no total at all.
    for total in ({"totalMatches": 2_000_000_000}, {"totalMatches": None}):
        firmware.answered = Mock(return_value=total)

        with pytest.raises(ComparisonFailed, match=r"^list_too_long$"):
            compare(terminal)

        failed = queries.latest(terminal.id)
        assert failed is not None
        assert (failed.state, failed.refusal_code, people_kept()) == (FAILED, "list_too_long", 0)
    assert enrolments.get_one(enrolled.id).is_confirmed


def test_list_of_faces_longer_than_the_terminal_can_hold_concludes_nothing(
    terminal: Terminal, simulator: Simulated
) -> None:
    simulator.profile = profile_named("K1T341CMFW")
    strangers(simulator, MANY[:3], [FACE, OTHER_FACE, FACE])
    comparison_id = begun(terminal)
    assert step(comparison_id)
    db.session.execute(db.update(Terminal).values(face_capacity=2))
    db.session.commit()

    with pytest.raises(ComparisonFailed, match=r"^list_too_long$"):
        read_on(comparison_id)

    assert people_kept() == 0


def test_who_was_read_before_is_forgotten_little_by_little_before_the_list_is_read_anew(
    simulator: Simulated, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "ROWS_AT_ONCE", 12)
    strangers(simulator, MANY)
    comparison_id = begun(terminal)
    assert step(comparison_id)
    removed(simulator)

    left = [(step(comparison_id), people_kept())[1] for _ in range(4)]
    done = read_on(comparison_id)

    assert left == [30, 18, 6, 0]
    assert (done.state, done.restarts, listed(done)) == (DONE, 1, list(simulator.people))


SPOILT: list[Callable[[Words], Words]] = [
    lambda _: {"totalMatches": 83},
    lambda _: {"totalMatches": 40},
    lambda _: {"responseStatusStrg": ""},
    lambda said: {"UserInfo": [*said.get("UserInfo", []), {"name": "Иван"}]},
    lambda _: {"UserInfo": [{"employeeNo": "9" * 33, "name": "Иван"}]},
]


def test_list_that_may_have_lost_somebody_concludes_nothing(
    simulator: Simulated, terminal: Terminal, firmware: Firmware
) -> None:
    strangers(simulator, MANY)
    for spoil in SPOILT:
        firmware.answered = spoil

        with pytest.raises(ComparisonFailed, match=r"^list_incomplete$"):
            compare(terminal)

        failed = queries.latest(terminal.id)
        assert failed is not None
        assert (failed.state, failed.refusal_code, people_kept()) == (FAILED, "list_incomplete", 0)
    assert queries.finished(terminal.id) is None


NO_COUNT: Words = {"missing": frozenset({"AccessControl/UserInfo/Count"})}
COUNT_OF_0: Words = {"counts_that_stay_0": frozenset({"userNumber", "bindFaceUserNumber"})}


# What 45 of 45 people are told to be, page by page.
EACH_PAGE_IS_ALL: list[Callable[[Words], Words]] = [
    lambda said: {
        "totalMatches": said["numOfMatches"],
        "responseStatusStrg": "OK" if "UserInfo" in said else "NO MATCH",
    },
    lambda _: {"totalMatches": None, "responseStatusStrg": "OK"},
]


@pytest.mark.parametrize("answered", EACH_PAGE_IS_ALL)
@pytest.mark.parametrize("counts", [{}, NO_COUNT, COUNT_OF_0])
@pytest.mark.parametrize("page_length", [30, 10])
def test_terminal_that_calls_each_page_the_whole_list_is_read_to_its_end(
    simulator: Simulated,
    terminal: Terminal,
    firmware: Firmware,
    answered: Callable[[Words], Words],
    counts: Words,
    page_length: int,
) -> None:
    strangers(simulator, MANY[:44])
    enrolled = enrol(simulator, terminal)
    firmware.asked, firmware.answered = {"maxResults": page_length}, answered
    simulator.profile = dataclasses.replace(simulator.profile, **counts)

    done = read_on(begun(terminal))

    assert (done.state, done.read, done.people, done.same) == (DONE, 45, 45, 1)
    assert differences(done) == {"only_there": MANY[:44]}
    assert enrolments.get_one(enrolled.id).is_confirmed


@pytest.mark.parametrize("counts", [NO_COUNT, COUNT_OF_0])
def test_nobody_is_missing_who_is_there_by_number_where_nothing_says_that_the_list_is_whole(
    simulator: Simulated, terminal: Terminal, wire: InProcess, monkeypatch: pytest.MonkeyPatch, counts: Words
) -> None:
    strangers(simulator, MANY[:64])
    enrolled, gone = enrol(simulator, terminal), enrol(simulator, terminal, Draft("100333", "Ольга"), OTHER_FACE)
    simulator.store.remove(["100333"])
    reconcile(send_to_terminal(save_employee(Draft("100444", "Без Лица")).row.id, terminal.id).row.id, "Анна")
    simulator.profile = dataclasses.replace(simulator.profile, tells_page_as_total=True, **counts)
    last_row_again(simulator, wire, monkeypatch, without="100444")

    done = read_on(begun(terminal))

    # The list leaves out 100444, who is there all the same.
    assert differences(done) == {"only_here": ["100333"], "only_there": MANY[:64]}
    assert (done.state, done.read, done.people, done.same) == (DONE, 65, None, 2)
    assert queries.doubts(done) == ["list_leaves_out"]
    assert enrolments.get_one(enrolled.id).is_confirmed
    assert not enrolments.get_one(gone.id).is_confirmed


def test_list_is_whole_without_a_count_where_an_empty_page_follows(simulator: Simulated, terminal: Terminal) -> None:
    strangers(simulator, MANY)
    desire_with_photo(terminal)
    simulator.profile = dataclasses.replace(simulator.profile, **NO_COUNT)

    done = compare(terminal)

    assert (done.people, differences(done)) == (65, {"only_here": ["100222"], "only_there": MANY})
    assert queries.doubts(done) == []


def test_list_that_nothing_confirms_concludes_nothing(
    simulator: Simulated, terminal: Terminal, wire: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    strangers(simulator, MANY)
    enrolled = enrol(simulator, terminal)
    simulator.profile = dataclasses.replace(simulator.profile, tells_page_as_total=True, **NO_COUNT)
    last_row_again(simulator, wire, monkeypatch, without="100222")
    monkeypatch.setattr("hikflask.simulator.isapi.persons.numbers", lambda *_: None)

    with pytest.raises(ComparisonFailed, match=r"^list_incomplete$"):
        compare(terminal)

    assert enrolments.get_one(enrolled.id).is_confirmed


def test_firmware_that_repeats_pages_concludes_nothing(
    simulator: Simulated, terminal: Terminal, firmware: Firmware
) -> None:
    strangers(simulator, MANY)
    for asked in ({"searchResultPosition": 0}, {"maxResults": 1}):
        firmware.asked = asked

        with pytest.raises(ComparisonFailed, match=r"^list_incomplete$"):
            compare(terminal)


def test_other_device_at_the_address_concludes_nothing(
    simulator: Simulated, terminal: Terminal, wire: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    strangers(simulator, MANY)
    comparison_id = begun(terminal)
    assert step(comparison_id)
    plain = wire.send

    def other(request: requests.PreparedRequest, **options: Any) -> requests.Response:
        response = plain(request, **options)
        body = SERIAL.sub(rb"\g<1>OTHER", response.content)
        return _response(request, response.status_code, dict(response.headers), body)

    monkeypatch.setattr(wire, "send", other)
    with pytest.raises(ComparisonFailed, match=r"^another_device$"):
        read_on(comparison_id)

    assert queries.get_comparison(comparison_id).refusal_code == "another_device"


def test_refused_password_is_not_tried_again(simulator: Simulated, terminal: Terminal) -> None:
    comparison_id = begun(terminal)
    simulator.login.password = "another"

    with pytest.raises(WrongPassword):
        step(comparison_id)

    assert queries.get_comparison(comparison_id).refusal_code == "wrong_password"
    second = begun(terminal)
    with pytest.raises(LoginStopped):
        step(second)
    assert simulator.wrong_passwords == 1


def test_list_of_faces_is_read_where_the_people_do_not_tell_them(terminal: Terminal, simulator: Simulated) -> None:
    simulator.profile = dataclasses.replace(profile_named("K1T341CMFW"), refuse_after_success=0)
    strangers(simulator, MANY, [FACE] * 35)

    done = compare(terminal)

    rows = db.session.execute(
        db.select(PersonThere.number, PersonThere.faces).where(PersonThere.comparison_id == done.id)
    )
    assert {row.number: row.faces for row in rows} == {number: int(number < "9035") for number in MANY}
    assert paths(simulator).count("FDSearch") == 2


def each_page_of_faces_is_all(wire: InProcess, monkeypatch: pytest.MonkeyPatch, *, repeats_the_last: bool) -> None:
    plain = wire.send

    def send(request: requests.PreparedRequest, **options: Any) -> requests.Response:
        if not str(request.path_url).partition("?")[0].endswith("FDSearch"):
            return plain(request, **options)
        asked = json.loads(request.body or b"{}")
        if repeats_the_last and "FPID" not in asked:
            asked["searchResultPosition"] = min(asked["searchResultPosition"], 34)
        request.body = json.dumps(asked).encode()
        response = plain(request, **options)
        said = json.loads(response.content)
        words = json.dumps({**said, "totalMatches": None, "responseStatusStrg": "OK"}).encode()
        return _response(request, response.status_code, {}, words)

    monkeypatch.setattr(wire, "send", send)


@pytest.mark.parametrize("repeats_the_last", [False, True])
def test_nobody_is_without_a_face_by_a_list_of_faces_that_may_not_be_whole(
    terminal: Terminal,
    simulator: Simulated,
    wire: InProcess,
    monkeypatch: pytest.MonkeyPatch,
    repeats_the_last: bool,
) -> None:
    strangers(simulator, MANY[:35], [FACE] * 35)
    enrolled = enrol(simulator, terminal)
    simulator.store.unbind(["100222"])
    no_faces: Words = {"not_in_search": frozenset({"numOfFace", "faceURL"}), "bind_counts": False}
    simulator.profile = dataclasses.replace(simulator.profile, **no_faces)
    each_page_of_faces_is_all(wire, monkeypatch, repeats_the_last=repeats_the_last)

    done = compare(terminal)

    assert db.session.execute(db.select(db.func.count()).where(PersonThere.faces == 1)).scalar_one() == 35
    assert ("face_missing" in differences(done)) is not repeats_the_last
    assert queries.doubts(done) == (["faces_not_told"] if repeats_the_last else [])
    assert enrolments.get_one(enrolled.id).is_confirmed is repeats_the_last


def test_pictures_are_read_of_those_whose_face_is_desired_alone(simulator: Simulated, terminal: Terminal) -> None:
    enrol(simulator, terminal)
    strangers(simulator, ["9000"], [OTHER_FACE])
    simulator.log.clear()

    done = compare(terminal)

    rows = db.session.execute(db.select(PersonThere.number, PersonThere.face_sha256))
    assert {row.number: row.face_sha256 for row in rows} == {"100222": storage.sha256(FACE), "9000": None}
    assert [path for path in paths(simulator) if path.endswith(".jpg")] == ["0000000001.jpg"]
    assert done.same == 1


def test_pictures_are_read_of_those_who_have_a_photo_here_but_should_not_be_there(
    simulator: Simulated, terminal: Terminal
) -> None:
    enrolment = desire_with_photo(terminal)
    strangers(simulator, ["100222", "900"], [OTHER_FACE, FACE])
    db.session.execute(db.delete(Enrolment).where(Enrolment.id == enrolment.id))
    db.session.commit()

    done = compare(terminal)

    read = db.select(PersonThere.number, PersonThere.face_sha256).where(PersonThere.comparison_id == done.id)
    assert dict(db.session.execute(read).all()) == {"100222": storage.sha256(OTHER_FACE), "900": None}


def test_second_reading_joins_the_one_that_runs(terminal: Terminal) -> None:
    assert begun(terminal) == reading.start(terminal.id, "Борис").id


def test_who_waited_for_the_terminal_finds_that_everything_is_read(simulator: Simulated, terminal: Terminal) -> None:
    strangers(simulator, ["900"])
    comparison = compare(terminal)

    with connection.converse(terminal.id, "Борис", "compare") as conversation:
        assert reading.Reading(conversation, comparison.id).step() is False


def test_reading_that_nobody_goes_on_with_is_replaced(terminal: Terminal) -> None:
    left = begun(terminal)
    long_ago = database_now(-reading.ABANDONED_SECONDS - 1)
    db.session.execute(db.update(Comparison).values(started_at=long_ago))
    db.session.commit()

    assert begun(terminal) != left
    with pytest.raises(ComparisonFailed, match=r"^comparison_replaced$"):
        step(left)


def test_reading_in_a_request_ends_with_its_time_and_goes_on_with_the_next(
    simulator: Simulated, terminal: Terminal
) -> None:
    strangers(simulator, MANY)
    comparison_id = begun(terminal)
    assert step(comparison_id)

    with pytest.raises(NoAnswer):
        reading.read_to_end(terminal.id, "Анна", 0.0)

    assert reading.read_to_end(terminal.id, "Анна", 60.0).id == comparison_id
    assert differences(queries.get_comparison(comparison_id)) == {"only_there": MANY}
