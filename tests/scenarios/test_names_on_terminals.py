"""A name too long for a terminal: which form it gets, and that this form is what is proven there."""

import json
from dataclasses import replace
from io import BytesIO
from zipfile import ZipFile

import pytest

from hikflask.extensions import db
from hikflask.isapi.errors import NoAnswer
from hikflask.models import Employee, Enrolment, Terminal
from hikflask.services.captures.drafts import Draft
from hikflask.services.core.errors import NameTooLong, NumberTakenThere, ServiceError
from hikflask.services.employees.lifecycle import send_to_terminal, set_active
from hikflask.services.employees.personal_data_export import export_employee
from hikflask.services.employees.save import save_employee
from hikflask.services.enrolments import desired, queries
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.services.terminals import checks, connection, registry
from hikflask.services.terminals.registry import Access
from hikflask.simulator import SkippingClock
from hikflask.simulator import Terminal as Simulated
from hikflask.simulator.profiles import profile_named
from tests.conftest import PASSWORD
from tests.support.employees import save_with_file
from tests.support.enrolments import employee_of
from tests.support.trail import entries
from tests.support.wire import InProcess

pytestmark = [pytest.mark.usefixtures("context", "worker_alive"), pytest.mark.both_databases]

PETROV = Draft("100222", "Петров Пётр Иванович", "Охрана")
SHORT = "Петров П. И."
OWN = "Петров (охрана)"


def device(name_bytes: int, *, cuts_names: bool = False) -> Simulated:
    """A terminal that takes pictures, and names of so many bytes."""
    profile = replace(profile_named("K1T341CMFW"), name_bytes=name_bytes, cuts_names=cuts_names)
    simulated = Simulated(PASSWORD, clock=SkippingClock(), profile=profile)
    simulated.store.deletion_polls = 0
    return simulated


def added(wire: InProcess, simulated: Simulated, name: str, host: str) -> Terminal:
    wire.put(host, simulated)
    terminal = registry.add(Access(name, f"http://{host}", "admin", PASSWORD, face_by_picture=True))
    return checks.check(terminal.id, "test")


@pytest.fixture
def small() -> Simulated:
    """A device that takes names of 32 bytes."""
    return device(32)


@pytest.fixture
def entrance(wire: InProcess, small: Simulated) -> Terminal:
    """Its row."""
    return added(wire, small, "Вход", "small.test")


def enrolled(terminal: Terminal, draft: Draft = PETROV) -> Enrolment:
    save_with_file(draft, terminal.id)
    return settled(terminal, draft.number)


def settled(terminal: Terminal, number: str = PETROV.number) -> Enrolment:
    enrolment = queries.find(terminal.id, number)
    assert enrolment is not None
    db.session.commit()
    return reconcile(enrolment.id, "Анна")


def renamed(enrolment: Enrolment, name: str, own: str = "") -> None:
    save_employee(Draft(PETROV.number, name, PETROV.department, own), employee_id=employee_of(enrolment))


def test_terminal_of_32_bytes_gets_the_initials_and_is_confirmed(small: Simulated, entrance: Terminal) -> None:
    done = enrolled(entrance)

    assert small.people["100222"]["name"] == SHORT
    assert (done.is_green, done.written_name, done.sent_name) == (True, SHORT, "")
    assert db.session.get_one(Employee, employee_of(done)).name == "Петров Пётр Иванович"


def test_each_terminal_gets_the_form_that_it_takes(wire: InProcess, small: Simulated, entrance: Terminal) -> None:
    large, tiny = device(128), device(11)
    others = added(wire, large, "Склад", "large.test"), added(wire, tiny, "Касса", "tiny.test")
    first = enrolled(entrance)

    for other in others:
        send_to_terminal(employee_of(first), other.id)

    assert all(settled(other).is_green for other in others)
    names = [simulated.people["100222"]["name"] for simulated in (small, large, tiny)]
    assert names == [SHORT, "Петров Пётр Иванович", "Петро"]


def test_own_name_is_sent_where_it_fits_and_the_trail_tells_it(small: Simulated, entrance: Terminal) -> None:
    done = enrolled(entrance)

    renamed(done, PETROV.name, OWN)

    assert queries.get_one(done.id).is_green is False
    assert settled(entrance).is_green
    assert small.people["100222"]["name"] == OWN
    (changed,) = entries("employee.changed")
    assert (changed.before, changed.after) == (None, {"terminal_name": OWN})
    renamed(done, PETROV.name, "Петров-старший, начальник охраны")
    assert settled(entrance).written_name == SHORT


def test_another_full_name_is_sent_in_its_short_form(small: Simulated, entrance: Terminal) -> None:
    done = enrolled(entrance)

    renamed(done, "Сидоров Пётр Иванович")

    assert settled(entrance).is_green
    assert small.people["100222"]["name"] == "Сидоров П. И."


def test_limit_that_is_learned_late_is_kept(wire: InProcess, small: Simulated) -> None:
    wire.put("small.test", small)
    terminal = registry.add(Access("Вход", "http://small.test", "admin", PASSWORD, face_by_picture=True))
    save_with_file(PETROV, terminal.id)

    assert settled(terminal).is_green
    assert small.people["100222"]["name"] == SHORT


def test_limit_that_no_terminal_tells_is_learned_from_the_name_that_it_cut(wire: InProcess) -> None:
    cutting = device(31, cuts_names=True)
    yard = added(wire, cutting, "Двор", "yard.test")
    assert yard.name_bytes is None

    done = enrolled(yard)

    assert (done.is_green, done.written_name, cutting.people["100222"]["name"]) == (True, SHORT, SHORT)
    # Half a letter that was cut is not counted.
    assert checks.check(yard.id, "test").name_bytes == 30


def test_name_that_was_there_in_part_before_is_somebody_elses(wire: InProcess) -> None:
    cutting = device(31, cuts_names=True)
    yard = added(wire, cutting, "Двор", "yard.test")
    cutting.store.add("100222", {"name": "Петров"})
    save_with_file(PETROV, yard.id)

    with pytest.raises(NumberTakenThere):
        settled(yard)

    assert cutting.people["100222"]["name"] == "Петров"
    assert connection.get_terminal(yard.id).name_bytes is None


def test_other_device_may_take_another_name(wire: InProcess) -> None:
    cutting = device(31, cuts_names=True)
    yard = added(wire, cutting, "Двор", "yard.test")
    enrolled(yard)

    wire.put("yard.test", replaced := device(200, cuts_names=True))
    replaced.serial = "DS-K1T341CMFW-OTHER"

    assert checks.check(yard.id, "test").name_bytes is None


def test_limit_that_changed_leaves_what_was_confirmed_until_it_is_sent_again(
    small: Simulated, entrance: Terminal
) -> None:
    small.profile = replace(small.profile, name_bytes=128)
    checks.check(entrance.id, "test")
    done = enrolled(entrance)
    assert done.written_name == PETROV.name

    small.profile = replace(small.profile, name_bytes=32)
    checks.check(entrance.id, "test")

    assert queries.get_one(done.id).is_green
    again = reconcile(done.id, "Анна", prove_again=True)
    assert (again.is_green, again.written_name) == (True, SHORT)
    assert small.people["100222"]["name"] == SHORT


def test_days_reach_the_others_where_a_terminal_takes_no_letter_of_the_name_any_more(
    wire: InProcess, small: Simulated, entrance: Terminal
) -> None:
    yard = added(wire, device(128), "Двор", "yard.test")
    first = enrolled(entrance)
    send_to_terminal(employee_of(first), yard.id)
    settled(yard)
    entrance.name_bytes = 1
    db.session.commit()

    save_employee(replace(PETROV, valid_to="2035-12-20"), employee_id=employee_of(first))

    assert settled(yard).sent_valid.endswith("2035-12-20T23:59:59")
    with pytest.raises(NameTooLong):
        settled(entrance)
    assert small.people["100222"]["name"] == SHORT


def test_stranger_with_the_short_form_is_asked_about_and_not_overwritten(small: Simulated, entrance: Terminal) -> None:
    small.store.add("100222", {"name": SHORT})
    save_with_file(PETROV, entrance.id)

    for _ in range(2):
        with pytest.raises(NumberTakenThere) as refused:
            settled(entrance)
        desired.retry(queries.of_number("100222")[0].id)

    assert refused.value.params["name"] == SHORT
    assert small.faces == {}
    asked = queries.of_number("100222")[0]
    assert desired.desire_overwrite(asked.id, asked.generation)
    assert settled(entrance).is_green


def test_stranger_whom_a_search_missed_is_still_asked_about(small: Simulated, entrance: Terminal) -> None:
    small.store.add("100222", {"name": SHORT})
    save_with_file(PETROV, entrance.id)
    stranger = dict(small.people)
    # The list is empty for a moment, although Record says that the number is taken.
    small.before("UserInfo/Search", small.people.clear)
    small.after("UserInfo/Search", lambda: small.people.update(stranger))
    with pytest.raises(ServiceError, match=r"^person_not_verified$"):
        settled(entrance)
    small.clear_hooks()

    with pytest.raises(NumberTakenThere):
        settled(entrance)


def test_stranger_with_the_full_name_is_ours_as_before(small: Simulated, entrance: Terminal) -> None:
    small.store.add("100333", {"name": "Ольга Ёлкина"})

    assert enrolled(entrance, Draft("100333", "Ольга Ёлкина")).is_green


def test_stranger_with_the_short_form_is_not_removed_with_the_employee(small: Simulated, entrance: Terminal) -> None:
    small.store.add("100222", {"name": SHORT})
    save_with_file(PETROV, entrance.id)
    with pytest.raises(NumberTakenThere):
        settled(entrance)
    set_active(employee_of(queries.of_number("100222")[0]), active=False)

    with pytest.raises(NumberTakenThere):
        settled(entrance)

    assert small.people["100222"]["name"] == SHORT


def test_leaver_is_removed_under_the_short_form(small: Simulated, entrance: Terminal) -> None:
    done = enrolled(entrance)

    set_active(employee_of(done), active=False)

    assert settled(entrance).is_confirmed
    assert small.people == {}


def test_answer_that_was_lost_does_not_make_the_short_form_a_strangers(small: Simulated, entrance: Terminal) -> None:
    save_with_file(PETROV, entrance.id)
    small.faults.add("lost-after", path="UserInfo/Record", times=1)
    with pytest.raises(NoAnswer):
        settled(entrance)

    assert settled(entrance).is_green
    assert small.people["100222"]["name"] == SHORT


def test_own_name_is_in_the_export(entrance: Terminal) -> None:
    done = enrolled(entrance, replace(PETROV, terminal_name=OWN))

    with ZipFile(BytesIO(export_employee(employee_of(done)))) as archive:
        data = json.loads(archive.read("data.json"))

    assert data["employee"]["terminal_name"] == OWN
    assert data["terminals"][0]["written_name"] == OWN
